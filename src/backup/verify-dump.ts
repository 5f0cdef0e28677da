import { readBeginning } from '../archive/detect-format.ts';
import type { Archive } from '../archive/reader.ts';
import { invalid, rejection } from '../archive/archive-error.ts';
import { inspectDump } from '../database/postgres/dump.ts';
import { headerBytes, oldestReader, parseDumpHeader } from '../database/postgres/dump-header.ts';
import { findTools, newest } from '../database/postgres/client-tools.ts';
import type { DatabaseProof } from './verify.ts';

/**
 * Prepares to prove a dump with the newest pg_restore that there is: it reads all that older ones read.
 * @throws Failure `archive-rejected` if the dump says what it is in no way that is known, or none can read it
 */
export async function openDumpProof({ file, database }: Archive, signal: AbortSignal): Promise<DatabaseProof> {
  const parsed = parseDumpHeader(await readBeginning(database, headerBytes));
  if (parsed.kind === 'damaged') throw rejection(file, invalid(`its ${database.name}: ${parsed.reason}`));
  const { header } = parsed;
  const needed = oldestReader(header);
  const tool = newest(await findTools('pg_restore'));
  if (tool === null || tool.major < needed) {
    const found = tool === null ? 'and there is no pg_restore here' : `and pg_restore here is ${tool.major}`;
    const reason = `its dump was made by pg_dump ${header.pgDump}, which pg_restore ${needed} and newer read, ${found}`;
    throw rejection(file, { kind: 'no-tool', reason });
  }
  // the package that it came from says nothing about the dump
  const server = `PostgreSQL ${header.server.replace(/ .*/s, '')}`;
  return { server, prove: (content) => inspectDump(tool, content, signal) };
}
