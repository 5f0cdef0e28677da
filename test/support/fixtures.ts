import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { temporaryDirectory } from './temporary-directory.ts';

const fixtures = join(import.meta.dirname, '../fixtures');

/** The releases that left a PostgreSQL (`pg`) or SQLite database behind: the folders' names. */
export function releases(engine: 'pg' | 'sqlite'): Promise<string[]> {
  return readdir(join(fixtures, 'databases', engine));
}

/** The path of a file that belongs to a release: `release('pg', 'v5.0.0', 'before.sql.gz')`. */
export function release(engine: 'pg' | 'sqlite', tag: string, file: string): string {
  return join(fixtures, 'databases', engine, tag, file);
}

/** The path of an odd database as SQL: `state('polluted')`. */
export function state(name: string): string {
  return join(fixtures, 'states', `${name}.sql.gz`);
}

/** The text of a gzipped file. */
export async function unzipped(path: string): Promise<string> {
  return gunzipSync(await readFile(path)).toString('utf8');
}

/** Unpacks a gzipped SQLite database (or copies a plain one) to a directory of its own. @returns the file's path */
export async function sqliteFile(path: string): Promise<string> {
  const target = join(await temporaryDirectory(), basename(path, '.gz'));
  if (path.endsWith('.gz')) await writeFile(target, gunzipSync(await readFile(path)));
  else await copyFile(path, target);
  return target;
}
