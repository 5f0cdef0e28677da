import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import SQLite from 'better-sqlite3';
import { expect, it, vi } from 'vitest';
import { copySqlite } from '../../../src/database/sqlite/copy.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

async function databaseFile(): Promise<{ file: string; target: string }> {
  const folder = await temporaryDirectory();
  const file = join(folder, 'timetracker.db');
  new SQLite(file).exec('CREATE TABLE users (id integer); INSERT INTO users VALUES (1)').close();
  return { file, target: join(folder, 'copy.db') };
}

it('a copy of a SQLite file ends at once when it is stopped', async () => {
  const { file, target } = await databaseFile();
  const stop = new AbortController();
  const other = new SQLite(file).exec('BEGIN EXCLUSIVE');
  // waits for the lock, and does not react to signals
  const copying = copySqlite(file, target, stop.signal);
  const reason = new Error('stopped');
  stop.abort(reason);
  await expect(copying).rejects.toBe(reason);
  other.close();
  expect(existsSync(target)).toBe(false);
});

it('a copy of a damaged SQLite file fails with the error of the driver', async () => {
  const { file, target } = await databaseFile();
  writeFileSync(file, readFileSync(file).fill(0xff, 4096));
  await expect(copySqlite(file, target, new AbortController().signal)).rejects.toMatchObject({
    code: 'SQLITE_CORRUPT',
    message: expect.stringContaining('malformed'),
  });
});

it('a copy of a SQLite file is checked after it is complete', async () => {
  const { file, target } = await databaseFile();
  new SQLite(file)
    .unsafeMode()
    .exec(
      `PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'integer', 'integer CHECK (id > 1)')`,
    )
    .close();
  const { checked } = await copySqlite(file, target, new AbortController().signal);
  expect(existsSync(target)).toBe(true);
  await expect(checked).rejects.toThrow('the copy is damaged: CHECK constraint failed in users');
});

it.runIf(process.platform === 'linux')(
  'a copy whose process is killed by the system fails with one sentence',
  async () => {
    const { file, target } = await databaseFile();
    const other = new SQLite(file).exec('BEGIN EXCLUSIVE');
    const copying = copySqlite(file, target, new AbortController().signal);
    const copier = await vi.waitUntil(() => processWith(target));
    process.kill(copier, 'SIGKILL');
    await expect(copying).rejects.toThrow(/^the process that copies the database was ended by SIGKILL$/);
    other.close();
  },
);

/** The number of another process with a word in its command line; null if there is none. */
function processWith(word: string): number | null {
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name) && name !== String(process.pid))) {
    try {
      if (readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0').includes(word)) return Number(entry);
    } catch {
      // the process has ended meanwhile
    }
  }
  return null;
}
