import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { temporaryDirectory } from './temporary-directory.ts';

const fixtures = join(import.meta.dirname, '../fixtures');

/** The releases of which there is a PostgreSQL (`pg`) or SQLite database, by the names of their folders. */
export function releases(engine: 'pg' | 'sqlite'): Promise<string[]> {
  return readdir(join(fixtures, 'databases', engine));
}

/** The path of a file that belongs to a release: `release('pg', 'v5.0.0', 'before.sql.gz')`. */
export function release(engine: 'pg' | 'sqlite', tag: string, file: string): string {
  return join(fixtures, 'databases', engine, tag, file);
}

/** The path of the SQL of a database in an unusual state: `state('polluted')`. */
export function state(name: string): string {
  return join(fixtures, 'states', `${name}.sql.gz`);
}

/** The text of a gzipped file. */
export async function unzipped(path: string): Promise<string> {
  return gunzipSync(await readFile(path)).toString('utf8');
}

/** Unpacks a gzipped SQLite database (or copies a plain one) into a new directory. @returns the file's path */
export async function sqliteFile(path: string): Promise<string> {
  const target = join(await temporaryDirectory(), basename(path, '.gz'));
  if (path.endsWith('.gz')) await writeFile(target, gunzipSync(await readFile(path)));
  else await copyFile(path, target);
  return target;
}
