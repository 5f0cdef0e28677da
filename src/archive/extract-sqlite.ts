import { rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { DumpScriptError, loadDumpScript } from '../database/sqlite/dump-script.ts';
import { requireOwnSideFiles } from '../database/sqlite/recover-side-files.ts';
import type { ArchiveObject } from '../errors/obstacles.ts';
import { archiveRejected, invalid } from './archive-error.ts';
import { type ArchiveEntry, countBytes, type ExtractOptions, extractEntry } from './entry-content.ts';
import type { Archive } from './reader.ts';

export interface SqliteExtraction extends ExtractOptions {
  /** The content of the entry, if it is read already. */
  readonly content?: Readable;
  /** Whether objects that TimeTracker does not make are taken from a text of SQL. */
  readonly trusted: boolean;
}

/**
 * Unpacks a SQLite database into a new file, with the logs beside a bare one, and makes a file of a text of SQL.
 * @returns the objects of a text that were left out, because TimeTracker does not make them
 * @throws Failure `archive-rejected`, or the error of the file system
 */
export async function extractSqlite(
  archive: Archive,
  file: string,
  { content, signal, onBytes, trusted }: SqliteExtraction,
): Promise<readonly ArchiveObject[]> {
  const { database, form, sideFiles } = archive;
  const entry: ArchiveEntry = content === undefined ? database : { ...database, open: () => Promise.resolve(content) };
  if (form === 'sql') return loadText(archive, await entry.open(), file, { signal, onBytes, trusted });
  await extractEntry(entry, file, { signal, onBytes });
  // the log of an interrupted transaction is part of the database
  for (const { suffix, entry: log } of sideFiles) await extractEntry(log, file + suffix, { signal });
  requireOwnSideFiles(file);
  return [];
}

async function loadText(
  { file: name }: Archive,
  content: Readable,
  file: string,
  { signal, onBytes, trusted }: SqliteExtraction,
): Promise<readonly ArchiveObject[]> {
  const checked = async function* (): AsyncGenerator<Buffer, void, undefined> {
    for await (const chunk of countBytes(onBytes)(content)) {
      signal.throwIfAborted();
      yield chunk;
    }
  };
  try {
    return await loadDumpScript(checked(), file, trusted);
  } catch (error) {
    await rm(file, { force: true });
    if (!(error instanceof DumpScriptError)) throw error;
    throw archiveRejected(name, invalid({ kind: 'dump-text', defect: error.defect }), { cause: error });
  }
}
