import { once } from 'node:events';
import type { Readable, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
import type { PostgresTarget } from '../../config/config.ts';
import { TooMuchData, UnknownStatement } from './checked-script.ts';
import { forceKillAfterDelay, libpqEnvironment, type Tool } from './client-tools.ts';
import { ToolFailed, toolMessage } from './tool-message.ts';

/** A run of pg_restore. */
export interface Load {
  readonly restore: Tool;
  readonly dump: string;
  /** What pg_restore is asked for beside what it always is. */
  readonly options: readonly string[];
  readonly target: PostgresTarget;
  /** What the sessions need to be started with (`startOptions`). */
  readonly startOptions: string | undefined;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  readonly signal: AbortSignal;
  /** Called as soon as a program has failed: what it started may still be at work in the database. */
  readonly onFailure: () => void;
}

/** What pg_restore needs to know to read a dump. */
type Reading = Pick<Load, 'restore' | 'dump' | 'options' | 'signal'>;

export const restoreOptions = [
  '--exit-on-error',
  // who and where is this database's business, not that of the one that was dumped
  '--no-owner',
  '--no-acl',
  '--no-tablespaces',
  '--no-publications',
  '--no-subscriptions',
  '--no-security-labels',
];

/** Lets pg_restore write into the database itself, over several connections. @throws Error in its own words */
export async function loadDirectly(load: Load, jobs: number): Promise<void> {
  // a connection string: whatever the name has in it, it stays a name
  const database = load.target.database.replaceAll(/['\\]/g, String.raw`\$&`);
  const options = ['--no-password', `--jobs=${jobs}`, `--dbname=dbname='${database}'`];
  const program = startRestore(load, options, environmentOf(load));
  program.stdout.resume();
  const ended = await endOf(load.restore, program, load.onFailure);
  if (ended.failed) throw new ToolFailed(ended.message);
}

/** The SQL around what pg_restore writes. */
export interface Framing {
  readonly head: string;
  /** Sent only if pg_restore wrote everything. */
  readonly tail: string;
  /** Makes what stands between pg_restore and psql. */
  readonly filter: () => Transform;
}

/** Lets pg_restore write SQL and psql run it, over one connection. @throws Error in the words of who failed */
export async function loadThroughPsql(load: Load, psql: Tool, framing: Framing): Promise<void> {
  const script = startRestore(load, ['--file=-'], environmentOf(load));
  const runner = startPsql(psql, load);
  const feeding = feed(script.stdout, runner.stdin, framing);
  const running = endOf(psql, runner, load.onFailure);
  const writing = endOf(load.restore, script, () => undefined);
  const [fed] = await Promise.allSettled([feeding]);
  const written = await writing;
  // without the tail nothing is committed
  if (fed.status === 'fulfilled' && !written.failed) runner.stdin.end(framing.tail);
  else runner.stdin.destroy();
  const ran = await running;
  if (fed.status === 'rejected' && isVeto(fed.reason)) throw fed.reason;
  // where psql ends first, pg_restore only finds nobody reading; where pg_restore does, psql gets half a table
  if (written.failed && !written.unread) throw new ToolFailed(written.message);
  if (ran.failed) throw new ToolFailed(ran.message);
  if (written.failed) throw new ToolFailed(written.message);
  if (fed.status === 'rejected') throw fed.reason;
}

const isVeto = (error: unknown): boolean => error instanceof UnknownStatement || error instanceof TooMuchData;

async function feed(content: Readable, into: Writable, { head, filter }: Framing): Promise<void> {
  // who reads no more has ended, and says why
  into.on('error', () => undefined);
  into.write(head);
  await pipeline(content, filter(), into, { end: false });
}

// messages are read: they come in English, and without colours
const plain = { LC_ALL: 'C', LANGUAGE: undefined, PG_COLOR: 'never' };

const environmentOf = ({ target, applicationName, startOptions }: Load) => ({
  ...libpqEnvironment(target, startOptions),
  ...plain,
  PGAPPNAME: applicationName,
});

/** Reads all that pg_restore would write of a dump, without a database. @throws Error in its own words */
export async function readThrough(load: Reading, filter: Transform): Promise<void> {
  const script = startRestore(load, ['--file=-'], plain);
  const writing = endOf(load.restore, script, () => undefined);
  filter.resume();
  const [read] = await Promise.allSettled([pipeline(script.stdout, filter)]);
  const written = await writing;
  load.signal.throwIfAborted();
  if (read.status === 'rejected' && isVeto(read.reason)) throw read.reason;
  if (written.failed) throw new ToolFailed(written.message);
  if (read.status === 'rejected') throw read.reason;
}

function startRestore(
  { restore, dump, options, signal }: Reading,
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

function startPsql(psql: Tool, load: Load) {
  const options = ['--no-psqlrc', '--no-password', '--quiet', '--set=ON_ERROR_STOP=1', '--file=-'];
  return execa(psql.command, options, {
    env: { ...environmentOf(load), PGCLIENTENCODING: 'UTF8' },
    stdout: 'ignore',
    buffer: false,
    cancelSignal: load.signal,
    forceKillAfterDelay,
    // this one makes it cancel its statement
    killSignal: 'SIGINT',
    reject: false,
  });
}

type Program = ReturnType<typeof startPsql> | ReturnType<typeof startRestore>;

interface Ended {
  readonly failed: boolean;
  /** Whether that was because nobody took what it wrote. */
  readonly unread: boolean;
  readonly message: string;
}

async function endOf({ name, major }: Tool, program: Program, onFailure: () => void): Promise<Ended> {
  // its workers share its stderr, and may go on when it is dead
  void once(program, 'exit').then(
    ([code]: unknown[]) => (code === 0 ? undefined : onFailure()),
    () => undefined,
  );
  const [stderr, result] = await Promise.all([lastOf(program.stderr), program]);
  const { failed, signal, exitCode, originalMessage = 'for an unknown reason' } = result;
  const called = `${name} ${major} ended`;
  // what is said after a kill comes from workers that lost their head
  const message =
    signal === undefined
      ? toolMessage(
          stderr,
          `${called} ${exitCode === undefined ? `(${originalMessage})` : `with exit code ${exitCode}`}`,
        )
      : `${called} by ${signal}`;
  return { failed, unread: signal === 'SIGPIPE' || /broken pipe|connection reset/i.test(message), message };
}

/** Characters kept of what a program says: the error that ends it comes last. */
const kept = 65_536;

async function lastOf(stream: Readable): Promise<string> {
  let said = '';
  stream.setEncoding('utf8');
  for await (const chunk of stream) said = (said + String(chunk)).slice(-kept);
  return said;
}
