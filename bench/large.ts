import { randomFillSync } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type BenchServer, entrypoint, outputOf, timed } from './workbench.ts';

/** A database that can be enlarged with copies of its rows. */
interface Growing {
  /** Bytes. */
  readonly size: () => Promise<number>;
  readonly query: (sql: string) => Promise<string>;
}

/** The columns of the table that is the largest in every installation, without the key. */
const columns =
  'user_id, project_id, task_id, start_time, end_time, notes, tags, billable, source, created_at, updated_at, ' +
  'duration_seconds, client_id, paid, invoice_number, break_seconds';

/** Makes a PostgreSQL database of the current schema with made-up data, of the given size in bytes. @returns its URL */
export async function largePostgres(server: BenchServer, bytes: number): Promise<string> {
  const url = await server.create();
  seed(url);
  // copied rows refer to existing rows: checking a million references would take longer than everything else
  const query = (sql: string): Promise<string> => server.query(url, `SET session_replication_role TO replica; ${sql}`);
  const size = async (): Promise<number> => Number(await query('SELECT pg_database_size(current_database())'));
  await grow({ size, query }, bytes);
  await server.query(url, 'VACUUM (ANALYZE)');
  return url;
}

/** Makes an SQLite database of the same kind. */
export async function largeSqlite(file: string, bytes: number): Promise<void> {
  seed(`sqlite:///${file}`);
  const query = async (sql: string): Promise<string> =>
    outputOf('sqlite3', ['-cmd', 'PRAGMA synchronous = OFF', file, sql]);
  await grow({ size: async () => statSync(file).size, query }, bytes);
}

/** Makes an SQLite database of the current schema with the given number of time entries. */
export async function rowsInSqlite(file: string, rows: number): Promise<void> {
  seed(`sqlite:///${file}`);
  const query = (sql: string): string => outputOf('sqlite3', ['-cmd', 'PRAGMA synchronous = OFF', file, sql]);
  for (;;) {
    const more = rows - Number(query('SELECT count(*) FROM time_entries'));
    if (more <= 0) return;
    query(`INSERT INTO time_entries (${columns}) SELECT ${columns} FROM time_entries LIMIT ${more}`);
  }
}

function seed(url: string): void {
  const env = { DATABASE_URL: url, FLASK_ENV: 'development' };
  timed({ file: entrypoint, env });
  timed({ file: entrypoint, args: ['seed', '--users', '40', '--time-entries', '5000'], env });
}

/** The accepted difference from the wanted size. */
const enough = 0.98;

async function grow({ size, query }: Growing, bytes: number): Promise<void> {
  for (;;) {
    const present = await size();
    if (present >= bytes * enough) return;
    const rows = Number(await query('SELECT count(*) FROM time_entries'));
    // doubles the rows at most, so that copies of the same row are far apart, as in real data
    const more = Math.min(rows, Math.ceil(((bytes - present) / present) * rows));
    await query(`INSERT INTO time_entries (${columns}) SELECT ${columns} FROM time_entries LIMIT ${more}`);
  }
}

/** The bytes in one write. */
const block = 2 ** 20;

/** Writes a file of random bytes; `text` makes it one that can be compressed to half its size. */
export function largeFile(path: string, bytes: number, content: 'bytes' | 'text'): void {
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, 'w');
  for (let written = 0; written < bytes; written += block) {
    const random = randomFillSync(Buffer.alloc(content === 'bytes' ? block : block / 2));
    writeSync(file, content === 'bytes' ? random : Buffer.from(random.toString('hex')));
  }
  fsyncSync(file);
  closeSync(file);
}

/** Writes the given number of files of 2 kB, with as many in a folder as receipts in a month. */
export function smallFiles(folder: string, count: number): void {
  for (let number = 0; number < count; number++) {
    const month = join(folder, `${Math.floor(number / 400)}`);
    if (number % 400 === 0) mkdirSync(month, { recursive: true });
    writeFileSync(join(month, `receipt ${number}.png`), randomFillSync(Buffer.alloc(2000)));
  }
}
