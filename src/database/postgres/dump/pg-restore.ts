import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { parseToc, type TocEntry } from './toc.ts';
import { unknownEncoding } from './script-settings.ts';
import { once } from 'node:events';
import type { Readable, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
import type { PostgresTarget } from '../../../config/config.ts';
import { TooMuchData, UnknownStatement } from './script-filter.ts';
import { forceKillAfterDelay, libpqEnvironment, type Tool } from '../client-tools.ts';
import { dumpReasons } from '../../../report/dump-reasons.ts';
import { ToolFailed, toolMessage } from '../tool-message.ts';

export interface PgRestoreRun {
  readonly restore: Tool;
  readonly dump: string;
  /** Options of pg_restore besides `restoreOptions`. */
  readonly options: readonly string[];
  readonly target: PostgresTarget;
  /** Options for the start of the sessions (`findPgOptions`). */
  readonly pgOptions: string | undefined;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  readonly signal: AbortSignal;
  /** Called as soon as a program has failed: its worker processes may still be working in the database. */
  readonly onFailure: () => void;
}

type PgRestoreInput = Pick<PgRestoreRun, 'restore' | 'dump' | 'options' | 'signal'>;

export const restoreOptions = [
  '--exit-on-error',
  // owners, rights and tablespaces are those of this database, not those of the dumped one
  '--no-owner',
  '--no-acl',
  '--no-tablespaces',
  '--no-publications',
  '--no-subscriptions',
  '--no-security-labels',
];

/** Runs pg_restore directly against the database, over several connections. @throws Error with its message */
export async function restoreDirectly(load: PgRestoreRun, jobs: number): Promise<void> {
  // quoted in a connection string, so that a name with "=" in it is not read as options
  const database = load.target.database.replaceAll(/['\\]/g, String.raw`\$&`);
  const options = ['--no-password', `--jobs=${jobs}`, `--dbname=dbname='${database}'`];
  const program = startRestore(load, options, environmentOf(load));
  program.stdout.resume();
  const ended = await waitForEnd(load.restore, program, load.onFailure);
  if (ended.failed) throw new ToolFailed(ended.message);
}

/** The SQL before and after the output of pg_restore. */
export interface Framing {
  readonly head: string;
  /** Sent only if pg_restore has succeeded. */
  readonly tail: string;
  /** Creates the stream between pg_restore and psql. */
  readonly filter: () => Transform;
}

/**
 * Runs pg_restore to write SQL and psql to execute it, over one connection.
 * @throws Error of the program that failed
 */
export async function restoreThroughPsql(load: PgRestoreRun, psql: Tool, framing: Framing): Promise<void> {
  const script = startRestore(load, ['--file=-'], environmentOf(load));
  const runner = startPsql(psql, load);
  const feeding = feed(script.stdout, runner.stdin, framing);
  const running = waitForEnd(psql, runner, load.onFailure);
  const writing = waitForEnd(load.restore, script, () => undefined);
  const [fed] = await Promise.allSettled([feeding]);
  const written = await writing;
  // without the tail nothing is committed
  if (fed.status === 'fulfilled' && !written.failed) runner.stdin.end(framing.tail);
  else runner.stdin.destroy();
  const ran = await running;
  if (fed.status === 'rejected' && isFilterError(fed.reason)) throw fed.reason;
  // if psql failed first, pg_restore fails with a broken pipe; if pg_restore failed first, psql got incomplete rows
  if (written.failed && !written.brokenPipe) throw new ToolFailed(written.message);
  if (ran.failed) throw new ToolFailed(ran.message);
  if (written.failed) throw new ToolFailed(written.message);
  if (fed.status === 'rejected') throw fed.reason;
}

const isFilterError = (error: unknown): boolean => error instanceof UnknownStatement || error instanceof TooMuchData;

async function feed(content: Readable, into: Writable, { head, filter }: Framing): Promise<void> {
  // a broken pipe means that psql has exited: its own message says why
  into.on('error', () => undefined);
  into.write(head);
  await pipeline(content, filter(), into, { end: false });
}

// db-init parses the messages, so they must be in English and without colours
const plain = { LC_ALL: 'C', LANGUAGE: undefined, PG_COLOR: 'never' };

const environmentOf = ({ target, applicationName, pgOptions }: PgRestoreRun) => ({
  ...libpqEnvironment(target, pgOptions),
  ...plain,
  PGAPPNAME: applicationName,
});

/** Reads the SQL that pg_restore writes for a dump, without a database. @throws Error with its message */
export async function readThrough(load: PgRestoreInput, filter: Transform): Promise<void> {
  const script = startRestore(load, ['--file=-'], plain);
  const writing = waitForEnd(load.restore, script, () => undefined);
  filter.resume();
  const [read] = await Promise.allSettled([pipeline(script.stdout, filter)]);
  const written = await writing;
  load.signal.throwIfAborted();
  if (read.status === 'rejected' && isFilterError(read.reason)) throw read.reason;
  if (written.failed) throw new ToolFailed(written.message);
  if (read.status === 'rejected') throw read.reason;
}

function startRestore(
  { restore, dump, options, signal }: PgRestoreInput,
  more: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
) {
  return execa(restore.command, [...restoreOptions, ...options, ...more, dump], {
    env,
    stdin: 'ignore',
    buffer: false,
    cancelSignal: signal,
    forceKillAfterDelay,
    reject: false,
  });
}

function startPsql(psql: Tool, load: PgRestoreRun) {
  const options = ['--no-psqlrc', '--no-password', '--quiet', '--set=ON_ERROR_STOP=1', '--file=-'];
  return execa(psql.command, options, {
    env: { ...environmentOf(load), PGCLIENTENCODING: 'UTF8' },
    stdout: 'ignore',
    buffer: false,
    cancelSignal: load.signal,
    forceKillAfterDelay,
    // SIGINT makes psql cancel its statement
    killSignal: 'SIGINT',
    reject: false,
  });
}

type Program = ReturnType<typeof startPsql> | ReturnType<typeof startRestore>;

interface ProgramEnd {
  readonly failed: boolean;
  /** Whether it failed only because the reader of its output had exited. It may have written everything and exited with 0. */
  readonly brokenPipe: boolean;
  readonly message: string;
}

async function waitForEnd({ name, major }: Tool, running: Program, onFailure: () => void): Promise<ProgramEnd> {
  // `exit`, not the end of stderr: worker processes share stderr, and may continue after their coordinator has exited
  void once(running, 'exit').then(
    ([code]: unknown[]) => (code === 0 ? undefined : onFailure()),
    () => undefined,
  );
  const [stderr, result] = await Promise.all([readLast(running.stderr), running]);
  const { failed, signal, exitCode, originalMessage = null } = result;
  const program = `${name} ${major}`;
  // after a kill, the messages come from worker processes whose coordinator has exited
  const message =
    signal === undefined
      ? toolMessage(stderr, dumpReasons.ended(program, exitCode ?? originalMessage))
      : dumpReasons.killed(program, signal);
  const brokenPipe = signal === 'SIGPIPE' || exitCode === 0 || /broken pipe|connection reset/i.test(message);
  return { failed, brokenPipe, message };
}

/** How many characters at the end of stderr are kept: the most important error comes last. */
const stderrLimit = 65_536;

async function readLast(stream: Readable): Promise<string> {
  let said = '';
  stream.setEncoding('utf8');
  for await (const chunk of stream) said = (said + String(chunk)).slice(-stderrLimit);
  return said;
}

/** Reads the table of contents of a dump. @returns the entries; if pg_restore cannot read the dump, its message */
export async function readToc(restore: Tool, dump: string, signal: AbortSignal): Promise<readonly TocEntry[] | string> {
  const { failed, stdout, stderr, exitCode } = await execa(restore.command, ['--list', dump], {
    env: { LC_ALL: 'C' },
    stdin: 'ignore',
    cancelSignal: signal,
    reject: false,
  });
  signal.throwIfAborted();
  return failed ? toolMessage(stderr, dumpReasons.ended('pg_restore', exitCode ?? null)) : parseToc(stdout);
}

/**
 * Whether a dump is in SQL_ASCII, so that the encoding of its texts is unknown. Errors are found later, by `readToc`.
 */
export async function isInUnknownEncoding(restore: Tool, dump: string, signal: AbortSignal): Promise<boolean> {
  const nothing = ['--use-list=/dev/null', '--file=-', dump];
  const { stdout } = await execa(restore.command, nothing, { stdin: 'ignore', cancelSignal: signal, reject: false });
  signal.throwIfAborted();
  return stdout.split('\n').includes(unknownEncoding);
}

/**
 * Reads all SQL of the entries that would be loaded, without a database.
 * @param into receives the SQL
 * @throws Error with the message of pg_restore, or what `into` throws
 */
export async function readDump(
  given: { dump: string; restore: Tool; entries: readonly TocEntry[]; signal: AbortSignal },
  into: Transform,
): Promise<void> {
  await withEntryList(given, (list) => readThrough({ ...given, options: [list] }, into));
}

/**
 * Writes the list file of entries for pg_restore, and removes it after `work`.
 * @param work receives the option with the path of the list file
 */
export async function withEntryList<Result>(
  { dump, entries }: { readonly dump: string; readonly entries: readonly TocEntry[] },
  work: (option: string) => Promise<Result>,
): Promise<Result> {
  const list = `${dump}.${randomBytes(6).toString('hex')}.toc`;
  await writeFile(list, entries.map(({ line }) => `${line}\n`).join(''), { mode: 0o600 });
  try {
    return await work(`--use-list=${list}`);
  } finally {
    await rm(list, { force: true });
  }
}
