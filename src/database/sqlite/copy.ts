import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import SQLite from 'better-sqlite3';
import { requireOwnSideFiles } from './recover-side-files.ts';

/** What the child process writes once the copy is complete. */
const copied = 'copied\n';

/** The program of the child process: copies, says so, checks the copy, and writes an error to standard output. */
const program = `
  const [, driver, file, target, copied] = process.argv;
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
    require('node:fs').writeSync(1, copied);
    withFile(target, (database) => {
      const findings = database.pragma('integrity_check', { simple: true });
      if (findings !== 'ok') throw new Error('the copy is damaged: ' + findings);
    });
  } catch (error) {
    process.stdout.write(JSON.stringify({ message: error.message, code: error.code }));
    process.exitCode = 1;
  }
`;

/** A complete copy, which is being checked. */
export interface SqliteCopy {
  /** Resolves if the copy is sound. @throws Error if it is damaged, or the reason of the signal */
  readonly checked: Promise<void>;
}

/**
 * Copies a database file in one snapshot, with the content of its write-ahead log, and begins to check the copy, which
 * takes most of the time. The driver is synchronous and cannot be interrupted by a signal, so a child process does
 * both: it can be killed.
 * @param target must not exist, or be empty
 * @returns once the copy is complete: the caller may read it during the check
 * @throws Error if the file is damaged, or the reason of the signal
 */
export async function copySqlite(file: string, target: string, signal: AbortSignal): Promise<SqliteCopy> {
  requireOwnSideFiles(file);
  const words = ['--eval', program, driverFolder(), file, target, copied];
  // options of Node.js in the environment apply to this process only, so the child does not inherit them
  const options = { signal, killSignal: 'SIGKILL', env: { TMPDIR: tmpdir() } } as const;
  const running = promisify(execFile)(process.execPath, words, options);
  const checked = running.then(
    () => undefined,
    (error: unknown) => {
      signal.throwIfAborted();
      throw failureOf(error);
    },
  );
  // if it fails before anybody waits for it, the error is not lost: the caller waits for it later
  checked.catch(() => undefined);
  const complete = new Promise<void>((onComplete) => {
    running.child.stdout?.on('data', (text: string) => {
      if (text.startsWith(copied)) onComplete();
    });
  });
  await Promise.race([complete, checked]);
  return { checked };
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
  const text = String(error.stdout).replace(copied, '');
  const written: unknown = text === '' ? null : JSON.parse(text);
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
