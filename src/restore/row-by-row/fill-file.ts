import { rm } from 'node:fs/promises';
import { displayNameOf } from '../../database/target-name.ts';
import { openDumpReader } from '../../database/postgres/dump/row-reader.ts';
import { describeLeftOut, describeLoaded } from '../../report/sqlite-transfer.ts';
import { quarantineOf } from './into-postgres.ts';
import {
  archiveUnusable,
  compareContents,
  dumpRejected,
  failureAt,
  requireKnownRevisions,
  unpackDump,
} from '../load-and-verify.ts';
import type { RestoreContext, Source } from '../target.ts';
import { loadDump } from './into-sqlite.ts';

/**
 * Fills a new SQLite file with the rows of a PostgreSQL archive. Our own migrations make the schema of the archive's
 * revision. Only rows are read from the dump, and nothing in it is run.
 * @throws Failure `archive-rejected`, `restore-refused`
 */
export async function fillFile(source: Source, file: string, context: RestoreContext): Promise<void> {
  const { config, log, signal, trusted, setAside = false } = context;
  const { archive } = source;
  const dump = await unpackDump(source, context);
  const maxBytes = config.archiveLimits.bytes;
  const found = await openDumpReader(dump, { trusted, maxBytes, signal });
  if (found.kind !== 'ready') throw dumpRejected(found, source, config);
  const { reader } = found;
  const revisions = reader.revisions ?? [];
  if (revisions.length === 0) {
    throw archiveUnusable(
      source,
      'its database does not say at which revision it is, which only a PostgreSQL server finds out',
    );
  }
  requireKnownRevisions(revisions, source);
  if (archive.manifest !== null) {
    const ours = reader.tables.filter(({ schema }) => schema === reader.schema);
    const rows = Object.fromEntries(ours.map((table) => [table.name, table.rows]));
    compareContents({ rows, revisions: revisions.toSorted(), settings: {} }, archive.manifest, source);
  }
  for (const sentence of describeLeftOut(reader.others)) log.warn(sentence);
  try {
    const loading = { file, revisions, aside: quarantineOf(file), setAside, database: displayNameOf(config.database) };
    const loaded = await loadDump(reader, { ...loading, archive: archive.file, signal });
    for (const { level, sentence } of describeLoaded(loaded)) log[level](sentence);
  } catch (error) {
    signal.throwIfAborted();
    throw failureAt('loading the rows of the PostgreSQL archive', error, config);
  }
  await rm(dump, { force: true });
}
