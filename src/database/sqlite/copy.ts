import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import SQLite from 'better-sqlite3';
import { requireOwnSideFiles } from './recover-side-files.ts';

/** The program of the child process: copies, checks the copy, and writes an error to standard output. */
const program = `
  const [, driver, file, target] = process.argv;
  const SQLite = require(driver);
  const withFile = (path, work) => {
    const database = new SQLite(path, { fileMustExist: true, timeout: 10_000 });
    try {
      work(database);
    } finally {
      database.close();
    }
  };
  try {
    withFile(file, (database) => database.prepare('VACUUM INTO ?').run(target));
    withFile(target, (database) => {
      const findings = database.pragma('integrity_check', { simple: true });
      if (findings !== 'ok') throw new Error('the copy is damaged: ' + findings);
    });
  } catch (error) {
    process.stdout.write(JSON.stringify({ message: error.message, code: error.code }));
    process.exitCode = 1;
  }
`;

/**
 * Copies a database file in one snapshot, with the content of its write-ahead log, and checks the copy. The driver is
 * synchronous and cannot be interrupted by a signal, so a child process makes the copy: it can be killed.
 * @param target must not exist
 * @throws Error if either file is damaged, or the reason of the signal
 */
export async function copySqlite(file: string, target: string, signal: AbortSignal): Promise<void> {
  requireOwnSideFiles(file);
  const words = ['--eval', program, driverFolder(), file, target];
  // options of Node.js in the environment apply to this process only, so the child does not inherit them
  const options = { signal, killSignal: 'SIGKILL', env: { TMPDIR: tmpdir() } } as const;
  try {
    await promisify(execFile)(process.execPath, words, options);
  } catch (error) {
    signal.throwIfAborted();
    throw failureOf(error);
  }
}

/** Finds the folder of the package better-sqlite3 by the path of its native module, which this process has loaded. */
function driverFolder(): string {
  const compiled = Object.keys(createRequire(process.execPath).cache).find((path) =>
    path.endsWith('better_sqlite3.node'),
  );
  if (compiled === undefined) throw new Error('better-sqlite3 is not loaded');
  return resolve(compiled, '../../..');
}

/**
 * The error of the child process, as the driver would have thrown it here. A process that wrote no error was killed,
 * e.g. because memory was exhausted. The error of `execFile` is not used, because it contains the whole program.
 */
function failureOf(error: unknown): unknown {
  if (!(error instanceof Error && 'stdout' in error)) return error;
  const written: unknown = error.stdout === '' ? null : JSON.parse(String(error.stdout));
  if (typeof written !== 'object' || written === null || !('message' in written)) {
    const signal = 'signal' in error && typeof error.signal === 'string' ? `by ${error.signal}` : 'without a reason';
    return new Error(`the process that copies the database was ended ${signal}`);
  }
  const message = String(written.message);
  const code = 'code' in written ? String(written.code) : '';
  return code.startsWith('SQLITE_') ? new SQLite.SqliteError(message, code) : new Error(message, { cause: error });
}

/** Bytes of a database file and its write-ahead log. */
export function sizeOfSqlite(file: string): number {
  const sizes = [file, `${file}-wal`].map((path) => statSync(path, { throwIfNoEntry: false })?.size ?? 0);
  return sizes.reduce((sum, size) => sum + size, 0);
}
