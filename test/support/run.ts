import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

const entrypoint = join(import.meta.dirname, '../../entrypoint');

/** How to run db-init. */
export interface RunOptions {
  /** The whole environment beside PATH, HOME, TT_COMMAND_PREFIX (`db-init`) and, for each run, uploads of its own. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: the tests' working directory. */
  readonly cwd?: string;
  /** What it reads from stdin; default: nothing. */
  readonly input?: string;
  /** Whom to run it as; default: who runs the tests. Only root may choose. */
  readonly uid?: number;
  /** Milliseconds until it is killed. */
  readonly timeout?: number;
  /** Sends SIGTERM when aborted. */
  readonly signal?: AbortSignal;
}

/** What a run left behind. */
export interface RunResult {
  /** Undefined if it was ended by a signal it did not handle. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** Both, as they came. */
  readonly all: string;
}

/** Starts `entrypoint` with `args`, as the container does. Await it for the result, or `kill('SIGINT')` it before. */
export function start(args: readonly string[], options: RunOptions = {}) {
  return execa(entrypoint, args, {
    reject: false,
    all: true,
    extendEnv: false,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      TT_COMMAND_PREFIX: 'db-init',
      UPLOAD_FOLDER: join(tmpdir(), 'db-init-uploads', randomUUID()),
      ...options.env,
    },
    input: options.input ?? '',
    timeout: options.timeout ?? 60_000,
    ...(options.uid !== undefined && { uid: options.uid, gid: options.uid }),
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    ...(options.signal !== undefined && { cancelSignal: options.signal }),
  });
}

/** Runs `entrypoint` with `args` to its end; never throws because of what the run did. */
export async function run(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { exitCode, stdout, stderr, all } = await start(args, options);
  return { exitCode, stdout, stderr, all };
}
