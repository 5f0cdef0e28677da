import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
import type { PostgresTarget } from '../../../config/config.ts';
import { quoteName } from '../../../platform/sql-quoting.ts';
import { forceKillAfterDelay, libpqEnvironment, type Tool } from '../client-tools.ts';
import { ToolFailed } from '../tool-message.ts';
import { filterPlainDump, filterScript, requireEnd } from './script-filter.ts';
import { unchangedSettings } from './script-settings.ts';
import { restoreOptions } from './pg-restore.ts';
import { isOptional } from './toc.ts';
import type { ArchiveObject } from '../../../errors/obstacles.ts';

export interface DumpOptions {
  /** A snapshot that an open transaction has exported: the dump contains what that transaction sees. */
  readonly snapshot: string;
  /** Seconds to wait for a table that another session has locked; 0 for no limit. */
  readonly lockTimeout: number;
  /** The encoding of the database. An encoding set for the role or in PGCLIENTENCODING may lack some characters. */
  readonly encoding: string;
  /** The only schema to dump, if the other schemas are not the application's; null for all. */
  readonly schema: string | null;
  /** Options for the start of the session (`findPgOptions`). */
  readonly pgOptions: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * The schemas that a restore without CREATEDB keeps or loads into. They are no part of the database, and a restore
 * refuses a dump that creates them.
 */
const formerDatabases = ['before', 'restore'].map((what) => `--exclude-schema=tt_${what}_[0-9]*_[0-9]*`);

/**
 * Streams a dump of the database, or of one schema, to `into` and ends it. The custom format is already compressed.
 * @throws Error with the message of pg_dump
 */
export async function dumpPostgres(
  tool: Tool,
  target: PostgresTarget,
  into: Writable,
  { snapshot, lockTimeout, encoding, schema, pgOptions, signal }: DumpOptions,
): Promise<void> {
  const lockWait = lockTimeout === 0 ? [] : [`--lock-wait-timeout=${lockTimeout}s`];
  const always = ['--format=custom', '--no-password', `--snapshot=${snapshot}`, `--encoding=${encoding}`];
  const part = schema === null ? formerDatabases : [`--schema=${quoteName(schema)}`];
  const dump = execa(tool.command, [...always, ...lockWait, ...part], {
    env: libpqEnvironment(target, pgOptions),
    stdin: 'ignore',
    buffer: { stdout: false },
    cancelSignal: signal,
    forceKillAfterDelay,
    reject: false,
  });
  await waitForBoth(dump, pipeline(dump.stdout, into));
}

/**
 * Verifies that pg_restore can read a dump to its end; listing it would read only the table of contents.
 * @throws Error with the message of pg_restore
 */
export async function verifyDump(tool: Tool, dump: Readable, signal: AbortSignal): Promise<void> {
  const reader = execa(tool.command, ['--file=/dev/null'], {
    cancelSignal: signal,
    forceKillAfterDelay,
    reject: false,
  });
  await waitForBoth(reader, feed(dump, reader.stdin, signal));
}

/**
 * Verifies a dump like `verifyDump`, and lists the objects in it that TimeTracker does not create. Executes no SQL.
 * @throws Error with the message of pg_restore
 */
export async function inspectDump(tool: Tool, dump: Readable, signal: AbortSignal): Promise<readonly ArchiveObject[]> {
  const { stream, summary } = filterScript({ settings: unchangedSettings, onUnknown: 'collect', maxBytes: Infinity });
  stream.resume();
  const reader = execa(tool.command, [...restoreOptions, '--file=-'], {
    cancelSignal: signal,
    forceKillAfterDelay,
    reject: false,
    buffer: { stdout: false },
  });
  const flow = Promise.all([feed(dump, reader.stdin, signal), pipeline(reader.stdout, stream)]);
  await waitForBoth(
    reader,
    flow.then(() => undefined),
  );
  return summary.unknown.filter((object) => !isOptional(object));
}

/** Lists the objects in a dump in plain SQL that TimeTracker does not create. Executes no SQL. */
export async function inspectPlainDump(script: Readable, signal: AbortSignal): Promise<readonly ArchiveObject[]> {
  const { stream, summary } = filterPlainDump({ maxBytes: Infinity });
  stream.resume();
  await pipeline(script, stream, { signal });
  requireEnd(summary);
  return summary.unknown.filter((object) => !isOptional(object));
}

/**
 * Writes a stream to a program that may exit before its input ends; its exit code shows whether that is an error. The
 * stream is always read to its end, because its checksum is compared there.
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

/** Resolves when a stream can be written to again, or is closed. */
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

interface ProgramResult {
  readonly failed: boolean;
  readonly stderr: string;
  readonly shortMessage?: string | undefined;
}

/** Waits for a program and its streams. Prefers the message of the program to the error of a broken pipe. */
async function waitForBoth(program: PromiseLike<ProgramResult>, flow: Promise<void>): Promise<void> {
  const [{ failed, stderr, shortMessage = '' }, flowed] = await Promise.all([program, Promise.allSettled([flow])]);
  // the message has several lines and becomes part of a sentence
  if (failed) throw new ToolFailed(stderr.trim().replaceAll(/\s+/g, ' ') || shortMessage);
  for (const outcome of flowed) if (outcome.status === 'rejected') throw outcome.reason;
}
