import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { to } from 'pg-copy-streams';
import { rowsInSqlite } from './large.ts';
import type { Result } from './table.ts';
import { type Bench, entrypoint, memoryOf, sideBySide, timed } from './workbench.ts';

/**
 * From this number of rows on the limit is 1.5, and 2 below it. The restore also creates a database with the schema,
 * verifies it and swaps it, which takes as long for one row as for a million; COPY gets tables that exist.
 */
const manyRows = 1_000_000;

/** Reads every row, as a converter must, and does nothing with it. */
const reading = `
  const file = new (require('better-sqlite3'))(process.argv[1], { readonly: true });
  for (const row of file.prepare('SELECT * FROM time_entries').raw().iterate()) if (row.length === 0) throw new Error();`;

/**
 * The copy from SQLite to PostgreSQL, a complete command with its checks and its swap, compared with COPY of the same rows
 * from CSV into tables with keys, and with reading them with better-sqlite3.
 */
export async function measureTransfer({ folder, postgres }: Bench, rows: number): Promise<readonly Result[]> {
  if (postgres === null) return [];
  const file = join(folder, 'transfer.db');
  const csv = join(folder, 'transfer.csv');
  const backups = join(folder, 'transfer');
  await rowsInSqlite(file, rows);
  mkdirSync(backups);
  const url = await postgres.create();
  const env = { DATABASE_URL: url, BACKUP_FOLDER: backups, UPLOAD_FOLDER: backups, TT_STATIC_UPLOAD_FOLDER: backups };
  const restore = { file: entrypoint, args: ['restore', file, '--yes'], env };
  timed({ file: entrypoint, env });
  const memory = memoryOf(restore, folder);
  await writeCsv(url, csv);
  const empty = await postgres.create();
  timed({ file: entrypoint, env: { ...env, DATABASE_URL: empty } });
  const load = `SET session_replication_role TO replica; TRUNCATE time_entries CASCADE; CHECKPOINT`;
  const seconds = await sideBySide(
    3,
    async () => {
      timed({ ...restore, args: ['restore', '--drop-former', '--yes'] });
      await postgres.query(url, 'CHECKPOINT');
      return timed(restore);
    },
    async () => {
      await postgres.query(empty, load);
      const args = [
        '-q',
        '-c',
        'SET session_replication_role TO replica',
        '-c',
        `\\copy time_entries FROM '${csv}' CSV`,
      ];
      return (
        timed({ file: join(postgres.bin, 'psql'), args: [...args, empty] }) +
        timed({ file: 'node', args: ['-e', reading, file] })
      );
    },
  );
  const what = `SQLite to PostgreSQL, ${rows.toLocaleString('en')} time entries`;
  const plain = 'COPY from CSV, better-sqlite3';
  return [
    { what, ...seconds, plain, unit: 's', limit: { kind: 'at most', ratio: rows < manyRows ? 2 : 1.5 } },
    {
      what: `${what}: memory`,
      ours: memory,
      plain: '',
      theirs: 150,
      unit: 'MiB',
      limit: { kind: 'at most', ratio: 1 },
    },
  ];
}

async function writeCsv(url: string, csv: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await pipeline(client.query(to('COPY time_entries TO STDOUT CSV')), createWriteStream(csv));
  } finally {
    await client.end();
  }
}
