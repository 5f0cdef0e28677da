import { open } from 'node:fs/promises';
import { execa } from 'execa';
import type { PostgresTarget } from '../../config/config.ts';
import { type DumpHeader, headerBytes, oldestReader, parseDumpHeader } from './dump-header.ts';
import { type ArchiveObject, reasonOf } from '../../errors/failure.ts';
import { checkScript, TooMuchData } from './checked-script.ts';
import { unknownEncoding } from './dump-script.ts';
import { type DumpLoader, loaderOf, readDump } from './loader.ts';
import { readServerCapabilities } from './server-capabilities.ts';
import { nothingMade } from './dump-statement.ts';
import { parseToc, schemaOf, selectEntries, type TocEntry, withoutOptional } from './toc.ts';
import { choosePsql, chooseRestore, findTools, newest, type Tool } from './client-tools.ts';
import { toolMessage } from './tool-message.ts';

export type { DumpLoader } from './loader.ts';

/** Whether a dump can be loaded into a server, and the loader for it. */
export type Loader =
  /** `warnings`: the objects that are left out, in sentences without a full stop. */
  | { readonly kind: 'ready'; readonly loader: DumpLoader; readonly warnings: readonly string[] }
  /**
   * The dump cannot be read, or its tool is missing. `reason`: a sentence without a full stop that names the versions.
   */
  | { readonly kind: 'unusable' | 'no-tool'; readonly reason: string }
  /** The dump holds objects that TimeTracker does not create; none of its SQL was executed. */
  | { readonly kind: 'unknown-objects'; readonly objects: readonly ArchiveObject[] }
  /** The rows of the dump have more than `maxBytes` bytes. */
  | { readonly kind: 'too-much-data' };

export interface LoaderOptions {
  readonly serverMajor: number;
  /** Whether the owner vouches for the dump: then all SQL that pg_restore writes is executed. */
  readonly trusted: boolean;
  /** The largest number of bytes of rows; does not apply to a trusted dump. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/**
 * Finds the tools that load a dump in PostgreSQL's custom format into a server, and checks the dump.
 * @param dump its path; while it is loaded, a file with the list of entries is written beside it
 * @throws Error if the server cannot be reached
 */
export async function openLoader(dump: string, target: PostgresTarget, options: LoaderOptions): Promise<Loader> {
  const { serverMajor, trusted, maxBytes, signal } = options;
  const parsed = parseDumpHeader(await beginningOf(dump));
  if (parsed.kind === 'damaged') return { kind: 'unusable', reason: `the dump cannot be read: ${parsed.reason}` };
  const [tools, psqls] = [await findTools('pg_restore'), await findTools('psql')];
  signal.throwIfAborted();
  const restore = chooseRestore(tools, oldestReader(parsed.header), serverMajor);
  if (restore === null) return { kind: 'no-tool', reason: tooOld(parsed.header, tools) };
  const psql = choosePsql(psqls, restore) ?? withoutPsql(psqls);
  const offers = await readServerCapabilities(target, serverMajor);
  // pg_restore 17 and later set `transaction_timeout`, which servers before 17 refuse: psql does not get that statement
  const olderServer = restore.major >= 17 && serverMajor < 17;
  const foreignBytes = offers.encoding !== 'SQL_ASCII' && (await isInUnknownEncoding(restore, dump, signal));
  if (foreignBytes && typeof psql === 'string') {
    const reason = `a dump in SQL_ASCII is loaded into a database in ${offers.encoding} with psql, and ${psql}`;
    return { kind: 'no-tool', reason };
  }
  if (olderServer && typeof psql === 'string') {
    const reason = `what pg_restore ${restore.major} writes is loaded into a PostgreSQL ${serverMajor} server with psql, and ${psql}`;
    return { kind: 'no-tool', reason };
  }
  const toc = await readToc(restore, dump, signal);
  if (typeof toc === 'string') return { kind: 'unusable', reason: `the dump cannot be read: ${toc}` };
  const selected = selectEntries(toc, offers);
  const script = { withoutTransactionTimeout: olderServer, encoding: offers.encoding };
  const throughPsql = olderServer || foreignBytes;
  const loading = { dump, restore, psql, throughPsql, script };
  if (trusted) {
    const { entries, warnings } = selected;
    return { kind: 'ready', loader: loaderOf({ ...loading, entries, check: null }), warnings };
  }
  if (typeof psql === 'string') return { kind: 'no-tool', reason: `a dump is loaded with psql, and ${psql}` };
  const entries = withoutOptional(toc);
  const found = await inspectDump({ dump, restore, entries, maxBytes, signal });
  if (found.kind !== 'known') return found;
  return { kind: 'ready', loader: loaderOf({ ...loading, entries, check: { maxBytes } }), warnings: [] };
}

/** The result of reading all SQL that pg_restore would execute. */
type Inspection = { readonly kind: 'known' } | Exclude<Loader, { readonly kind: 'ready' }>;

/** Reads a dump to its end before any of its SQL is executed. */
async function inspectDump(given: {
  dump: string;
  restore: Tool;
  entries: readonly TocEntry[];
  maxBytes: number;
  signal: AbortSignal;
}): Promise<Inspection> {
  const { maxBytes } = given;
  const script = { withoutTransactionTimeout: false, encoding: 'UTF8' };
  const { stream, summary } = checkScript({
    script,
    onUnknown: 'collect',
    maxBytes,
    made: nothingMade(schemaOf(given.entries)),
  });
  try {
    await readDump(given, stream);
  } catch (error) {
    given.signal.throwIfAborted();
    if (error instanceof TooMuchData) return { kind: 'too-much-data' };
    return { kind: 'unusable', reason: `the dump cannot be read: ${reasonOf(error)}` };
  }
  return summary.unknown.length === 0 ? { kind: 'known' } : { kind: 'unknown-objects', objects: summary.unknown };
}

/** The first bytes of a dump, with its header. */
export async function beginningOf(file: string): Promise<Uint8Array> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(headerBytes), 0, headerBytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** The reason why none of these tools can read a dump. */
export function tooOld(header: DumpHeader, tools: readonly Tool[]): string {
  const found = newest(tools);
  const here = found === null ? 'there is no pg_restore here' : `the newest pg_restore here is ${found.major}`;
  const made = `the dump was made by pg_dump ${header.pgDump} (archive format ${header.format.join('.')})`;
  return `${made}, which pg_restore ${oldestReader(header)} and newer read, and ${here}`;
}

/** The reason why there is no usable psql. */
function withoutPsql(tools: readonly Tool[]): string {
  const found = newest(tools);
  if (found === null) return 'there is no psql here';
  return `psql ${found.major}.${found.minor}, the newest here, does not know \\restrict yet`;
}

/**
 * Whether a dump is in SQL_ASCII, so that the encoding of its texts is unknown. Errors are found later, by `readToc`.
 */
async function isInUnknownEncoding(restore: Tool, dump: string, signal: AbortSignal): Promise<boolean> {
  const nothing = ['--use-list=/dev/null', '--file=-', dump];
  const { stdout } = await execa(restore.command, nothing, { stdin: 'ignore', cancelSignal: signal, reject: false });
  signal.throwIfAborted();
  return stdout.split('\n').includes(unknownEncoding);
}

/** @returns the entries; if pg_restore cannot read the dump, its message */
export async function readToc(restore: Tool, dump: string, signal: AbortSignal): Promise<readonly TocEntry[] | string> {
  const { failed, stdout, stderr, exitCode } = await execa(restore.command, ['--list', dump], {
    env: { LC_ALL: 'C' },
    stdin: 'ignore',
    cancelSignal: signal,
    reject: false,
  });
  signal.throwIfAborted();
  return failed ? toolMessage(stderr, `pg_restore ended with exit code ${exitCode}`) : parseToc(stdout);
}
