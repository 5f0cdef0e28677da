import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
import type { PostgresTarget } from '../../config/config.ts';
import { quoteName } from '../quoting.ts';
import { forceKillAfterDelay, libpqEnvironment, type Tool } from './client-tools.ts';
import { ToolFailed } from './tool-message.ts';
import { checkScript } from './checked-script.ts';
import { restoreOptions } from './load-run.ts';
import { isOptional } from './toc.ts';
import type { ArchiveObject } from '../../errors/failure.ts';

export interface DumpOptions {
  /** A snapshot that an open transaction exported: what is dumped is what that transaction sees. */
  readonly snapshot: string;
  /** Seconds to wait for a table that others have locked; 0 for no limit. */
  readonly lockTimeout: number;
  /** The database's own: what the role or the surroundings have set may not know all that is in it. */
  readonly encoding: string;
  /** The one schema that is dumped, where the others are not the application's; null for all. */
  readonly schema: string | null;
  /** What the session needs to be started with (`startOptions`). */
  readonly startOptions: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * Streams a dump of the whole database, or of one schema, in PostgreSQL's custom format, which is compressed already, and ends `into`.
 * @throws Error in pg_dump's own words
 */
export async function dumpPostgres(
  tool: Tool,
  target: PostgresTarget,
  into: Writable,
  { snapshot, lockTimeout, encoding, schema, startOptions, signal }: DumpOptions,
): Promise<void> {
  const patience = lockTimeout === 0 ? [] : [`--lock-wait-timeout=${lockTimeout}s`];
  const always = ['--format=custom', '--no-password', `--snapshot=${snapshot}`, `--encoding=${encoding}`];
  const part = schema === null ? [] : [`--schema=${quoteName(schema)}`];
  const dump = execa(tool.command, [...always, ...patience, ...part], {
    env: libpqEnvironment(target, startOptions),
    stdin: 'ignore',
    buffer: { stdout: false },
    cancelSignal: signal,
    forceKillAfterDelay,
    reject: false,
  });
  await bothEnd(dump, pipeline(dump.stdout, into));
}

/**
 * Proves that a dump can be restored as a whole: pg_restore reads it to its end, which listing it does not need to.
 * @throws Error in pg_restore's own words
 */
export async function proveDump(tool: Tool, dump: Readable, signal: AbortSignal): Promise<void> {
  const proof = execa(tool.command, ['--file=/dev/null'], { cancelSignal: signal, forceKillAfterDelay, reject: false });
  await bothEnd(proof, feed(dump, proof.stdin, signal));
}

/**
 * Proves the same, and tells what the dump holds that TimeTracker does not make. Nothing is run.
 * @throws Error in pg_restore's own words
 */
export async function inspectDump(tool: Tool, dump: Readable, signal: AbortSignal): Promise<readonly ArchiveObject[]> {
  const script = { withoutTransactionTimeout: false, encoding: 'UTF8' };
  const { stream, summary } = checkScript({ script, onUnknown: 'collect', maxBytes: Infinity });
  stream.resume();
  const proof = execa(tool.command, [...restoreOptions, '--file=-'], {
    cancelSignal: signal,
    forceKillAfterDelay,
    reject: false,
    buffer: { stdout: false },
  });
  const flow = Promise.all([feed(dump, proof.stdin, signal), pipeline(proof.stdout, stream)]);
  await bothEnd(
    proof,
    flow.then(() => undefined),
  );
  return summary.unknown.filter((object) => !isOptional(object));
}

/**
 * Writes a stream to a program that may end before its input does: whether it had enough its exit code tells. The
 * stream is read to its end all the same, for it has a checksum to compare.
 */
async function feed(content: Readable, into: Writable, signal: AbortSignal): Promise<void> {
  into.on('error', () => undefined);
  try {
    for await (const chunk of content) {
      signal.throwIfAborted();
      if (into.writable && !into.write(chunk)) await drained(into);
    }
    into.end();
  } catch (error) {
    into.destroy();
    throw error;
  }
}

/** Resolves when a stream takes more, or never will. */
function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done).off('close', done);
      resolve();
    };
    stream.on('drain', done).on('close', done);
    if (stream.closed) done();
  });
}

interface Ended {
  readonly failed: boolean;
  readonly stderr: string;
  readonly shortMessage?: string | undefined;
}

/** Waits for a program and for what flows to or from it. What the program says explains more than a broken pipe. */
async function bothEnd(program: PromiseLike<Ended>, flow: Promise<void>): Promise<void> {
  const [{ failed, stderr, shortMessage = '' }, flowed] = await Promise.all([program, Promise.allSettled([flow])]);
  // its message has several lines, and is part of a sentence
  if (failed) throw new ToolFailed(stderr.trim().replaceAll(/\s+/g, ' ') || shortMessage);
  for (const outcome of flowed) if (outcome.status === 'rejected') throw outcome.reason;
}
