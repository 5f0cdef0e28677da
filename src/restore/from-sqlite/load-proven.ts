import type { PostgresTarget } from '../../config/config.ts';
import { displayNameOf } from '../../database/target-name.ts';
import { describeLoaded } from '../../report/sqlite-transfer.ts';
import { loadRows } from './load-rows.ts';
import { failureAt } from '../load-and-verify.ts';
import type { RestoreContext, Source } from '../target.ts';
import type { CopyAtHead } from './sqlite-copy.ts';

/** Where the rows of a SQLite database become one of PostgreSQL. */
interface Place {
  readonly target: PostgresTarget;
  readonly before: readonly string[];
  readonly role: string | null;
  /** The restore's name for what is brought up. */
  readonly incoming: string;
}

/**
 * Loads the rows of a SQLite database, and says what was loaded and what became of it.
 * @throws Failure `restore-refused`
 */
export async function loadProven(
  copy: CopyAtHead,
  { target, before, role, incoming }: Place,
  { archive, folder }: Source,
  { config, log, signal, setAside = false }: RestoreContext,
): Promise<void> {
  const place = { target, before, role, quarantine: quarantineOf(incoming), database: displayNameOf(config.database) };
  try {
    const loaded = await loadRows(copy, { ...place, archive: archive.file, setAside, folder, signal });
    for (const { level, sentence } of describeLoaded(loaded)) log[level](sentence);
  } catch (error) {
    signal.throwIfAborted();
    throw failureAt('loading the rows of the SQLite database', error, config);
  }
}

/** The schema that takes in what a restore sets aside: `tt_quarantine_20261123t201500`. */
export function quarantineOf(incoming: string): string {
  const [, day = '', time = ''] = /_(\d{8})_(\d{6}(?:_\d+)?)$/.exec(incoming) ?? [];
  return `tt_quarantine_${day}t${time}`;
}

/** The same source, whose manifest was compared with the SQLite database already. */
export function withoutManifest(source: Source): Source {
  return { ...source, archive: { ...source.archive, manifest: null } };
}
