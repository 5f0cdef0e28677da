import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { runInProcess } from './run-in-process.ts';

const root = join(import.meta.dirname, '../..');

/** How to run db-init. */
export interface RunOptions {
  /** The whole environment beside PATH, HOME, TT_COMMAND_PREFIX (`db-init`) and, for each run, uploads of its own. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: the tests' working directory. */
  readonly cwd?: string;
}

/** How to run db-init where the process matters. */
export interface ProcessOptions extends RunOptions {
  /** Its standard input; default: empty. */
  readonly input?: string;
  /** The user to run it as; default: the user of the tests. Only root may set it. */
  readonly uid?: number;
  /** Milliseconds until it is killed. */
  readonly timeout?: number;
  /** Sends SIGTERM when aborted. */
  readonly signal?: AbortSignal;
}

/** The result of a run. */
export interface RunResult {
  /** Undefined if a signal ended it that it did not handle. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** Both, in the order of output. */
  readonly all: string;
}

const environmentOf = ({ env }: RunOptions): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '',
  HOME: process.env['HOME'] ?? '',
  TT_COMMAND_PREFIX: 'db-init',
  UPLOAD_FOLDER: join(tmpdir(), 'db-init-uploads', randomUUID()),
  ...env,
});

/** Starts `entrypoint` with `args`, as the container does. The caller awaits the result, or sends a signal with `kill`. */
export function start(args: readonly string[], options: ProcessOptions = {}) {
  return execa(join(root, 'entrypoint'), args, {
    reject: false,
    all: true,
    extendEnv: false,
    env: environmentOf(options),
    input: options.input ?? '',
    timeout: options.timeout ?? 60_000,
    ...(options.uid !== undefined && { uid: options.uid, gid: options.uid }),
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    ...(options.signal !== undefined && { cancelSignal: options.signal }),
  });
}

/** Runs `entrypoint` with `args` to its end. It does not throw if the run fails. */
export async function runProcess(args: readonly string[], options: ProcessOptions = {}): Promise<RunResult> {
  const { exitCode, stdout, stderr, all } = await start(args, options);
  return { exitCode, stdout, stderr, all };
}

/** Variables that affect a process before db-init reads them, or by which it finds other programs. */
const ofTheProcess = /^(?:NODE_\w+|TZ|TMPDIR|PATH)$/;

/**
 * Runs db-init with `args` to its end, within the process of the test: a process of its own costs more processor time than
 * most commands need. It starts a process only for options that need one: a user, a signal, an input, a time limit, or a
 * variable of Node.js.
 */
export async function run(args: readonly string[], options: ProcessOptions = {}): Promise<RunResult> {
  const { env = {}, cwd, ...ofProcess } = options;
  if (Object.keys(ofProcess).length > 0 || Object.keys(env).some((name) => ofTheProcess.test(name))) {
    return runProcess(args, options);
  }
  const { exitCode, stdout, stderr, all } = await runInProcess(args, environmentOf(options), cwd ?? process.cwd());
  // execa removes the last line break of a process, so it is removed here too
  return { exitCode, stdout: withoutEnd(stdout), stderr: withoutEnd(stderr), all: withoutEnd(all) };
}

const withoutEnd = (text: string): string => text.replace(/\r?\n$/, '');
