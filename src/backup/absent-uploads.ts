import { existsSync } from 'node:fs';
import type { UploadRoot, UploadRootName } from '../config/config.ts';
import { quoteName } from '../database/quoting.ts';
import { number } from '../database/rows.ts';
import type { DatabaseFacts } from '../database/database.ts';
import { reasonOf } from '../failure.ts';
import { holdsFiles } from '../gate/traces.ts';
import { describeAbsentUploads } from '../report/backup-text.ts';
import { commandsFor } from '../report/commands.ts';
import { goesWithContainer } from '../volumes.ts';
import type { BackupContext } from './context.ts';

/** The tables each row of which is about one uploaded file, by the folder that the application writes it to. */
const tablesOf = {
  uploads: ['client_attachments', 'quote_attachments', 'comment_attachments', 'invoice_images', 'quote_images'],
  data_uploads: [],
  project_attachments: ['project_attachments'],
} as const satisfies Record<UploadRootName, readonly string[]>;

/** A folder of uploads that an archive has nothing of, or that a container takes along when it goes. */
export interface AbsentUploads {
  readonly folder: string;
  /** Rows of the database that speak of files there. */
  readonly rows: number;
  readonly why: 'missing' | 'empty' | 'not-mounted';
}

/**
 * Finds the folders whose files the database speaks of and that are not there, hold nothing, or lie in the container
 * itself: TimeTracker's own compose files mount no volume at /app/uploads/project_attachments.
 * @param rows how many rows each table holds
 * @param holds whether there is any file of a folder that is there
 * @param isMounted whether a folder lies on a volume
 */
export function findAbsentUploads(
  rows: Readonly<Record<string, number>>,
  roots: readonly UploadRoot[],
  holds: (root: UploadRoot) => boolean,
  isMounted: (folder: string) => boolean = (folder) => !goesWithContainer(folder),
): readonly AbsentUploads[] {
  return roots.flatMap((root): readonly AbsentUploads[] => {
    const { name, folder } = root;
    const spoken = tablesOf[name].reduce((sum, table) => sum + (rows[table] ?? 0), 0);
    if (spoken === 0) return [];
    if (!existsSync(folder)) return [{ folder, rows: spoken, why: 'missing' }];
    if (!holds(root)) return [{ folder, rows: spoken, why: 'empty' }];
    return isMounted(folder) ? [] : [{ folder, rows: spoken, why: 'not-mounted' }];
  });
}

/**
 * Says in the log which folders those are, before a database is changed: a change comes with an upgrade, and so with a
 * container that is made anew, without the files that only the old one had. Never a reason to stop.
 */
export async function warnOfAbsentUploads(
  { database, config, log, signal }: BackupContext,
  { catalog }: DatabaseFacts,
): Promise<void> {
  const tables = Object.values(tablesOf).flatMap((names) =>
    names.filter((name) => Object.hasOwn(catalog.tables, name)),
  );
  if (tables.length === 0) return;
  try {
    const counts = tables.map((table) => `(SELECT count(*) FROM ${quoteName(table)}) AS ${quoteName(table)}`);
    const [row = {}] = await database.read((session) => session.query(`SELECT ${counts.join(', ')}`));
    const rows = Object.fromEntries(tables.map((table) => [table, number(row, table)]));
    const absent = findAbsentUploads(rows, config.uploadRoots, ({ folder }) => holdsFiles(folder, config.backupFolder));
    const commands = commandsFor(config);
    for (const line of absent.flatMap((one) => describeAbsentUploads(one, commands, 'gate'))) log.warn(line);
  } catch (error) {
    signal.throwIfAborted();
    log.warn(`Whether all uploaded files are on a volume could not be looked up: ${reasonOf(error)}.`);
  }
}
