import { existsSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { execa } from 'execa';
import { catalogAndRows } from './catalog-snapshot.ts';
import { withClient } from './database.ts';
import { requirePostgres } from './postgres-server.ts';

/** The parts that a snapshot leaves out. */
export interface SnapshotOptions {
  /** Leave out the positions of sequences, which survive a rollback. */
  readonly withoutSequences?: boolean;
}

/**
 * The schema and the rows of a database as text. If two snapshots of a database are equal, nothing has changed between
 * them. Snapshots of different servers are not comparable.
 * @param url as in DATABASE_URL, of a PostgreSQL or SQLite database; a missing SQLite file gives an empty text
 */
export async function snapshot(url: string, options: SnapshotOptions = {}): Promise<string> {
  if (url.startsWith('sqlite:')) return sqliteSnapshot(url.slice('sqlite:///'.length));
  const { binDirectory } = requirePostgres();
  const text = await (binDirectory === null ? withClient(url, catalogAndRows) : dump(binDirectory, url));
  return options.withoutSequences === true ? text.replaceAll(/^SELECT pg_catalog\.setval\(.*$/gm, '') : text;
}

async function dump(binDirectory: string, url: string): Promise<string> {
  const { stdout } = await execa(join(binDirectory, 'pg_dump'), ['--dbname', url]);
  // \restrict has a new random token in every dump
  return stdout.replaceAll(/^\\(?:un)?restrict .*\n/gm, '');
}

function sqliteSnapshot(path: string): string {
  if (!existsSync(path)) return '';
  const database = new Database(path, { readonly: true });
  try {
    const objects = database.prepare<[], { type: string; name: string }>(
      'SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name',
    );
    const lines = objects.all().flatMap((object) => {
      if (object.type !== 'table') return [JSON.stringify(object)];
      const rows = database
        .prepare(`SELECT * FROM "${object.name.replaceAll('"', '""')}"`)
        .safeIntegers()
        .raw()
        .all();
      return [JSON.stringify(object), ...rows.map(rowText)];
    });
    return [`user_version ${String(database.pragma('user_version', { simple: true }))}`, ...lines].join('\n');
  } finally {
    database.close();
  }
}

function rowText(row: unknown): string {
  return JSON.stringify(row, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}
