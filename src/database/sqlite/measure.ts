import { versionTable } from '../../model/catalog.ts';
import type { MeasuredObject, Measurement } from '../../model/measurement.ts';
import type { Row } from '../../model/engine.ts';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import type SQLite from 'better-sqlite3';
import { text } from '../row-values.ts';
import { isDatabaseFile, openForReading } from './open-readonly.ts';
import { countRows } from './count-rows.ts';

/** The suffixes of the files with content; `-shm` is only an index of the WAL, and SQLite creates it again. */
const parts = ['', '-journal', '-wal'];

/** Measures a database file. For a damaged file, returns only the hash of its bytes. Writes nothing. */
export async function measureFile(file: string): Promise<Measurement> {
  return { file: await hashOf(file), ...measureContents(file) };
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for (const part of parts.filter((suffix) => existsSync(file + suffix))) {
    hash.update(`${part}\n`);
    for await (const bytes of createReadStream(file + part)) if (bytes instanceof Buffer) hash.update(bytes);
  }
  return hash.digest('hex');
}

function measureContents(file: string): Pick<Measurement, 'revisions' | 'objects'> {
  try {
    if (!isDatabaseFile(file)) return unreadable;
    const open = openForReading(file);
    try {
      return { revisions: revisionsIn(open.database), objects: objectsIn(open.database) };
    } finally {
      open.close();
    }
  } catch {
    return unreadable;
  }
}

const unreadable: Pick<Measurement, 'revisions' | 'objects'> = { revisions: [], objects: null };

function objectsIn(database: SQLite.Database): Record<string, MeasuredObject> {
  const objects: Record<string, MeasuredObject> = {};
  const found = database
    .prepare<[], Row>(
      `SELECT type, name, coalesce(sql, '') AS sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'`,
    )
    .all();
  for (const row of found) {
    const [type, name] = [text(row, 'type'), text(row, 'name')];
    const rows = type === 'table' ? countRows(database, name) : null;
    objects[type === 'table' ? name : `${type} ${name}`] = {
      rows,
      content: null,
      definition: digestOf(text(row, 'sql')),
    };
  }
  return objects;
}

const digestOf = (content: string): string => createHash('md5').update(content).digest('hex');

function revisionsIn(database: SQLite.Database): readonly string[] {
  const there = database.prepare(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?`).get(versionTable);
  if (there === undefined) return [];
  const rows = database.prepare<[], Row>(`SELECT CAST(version_num AS text) AS revision FROM ${versionTable}`).all();
  return rows.map((row) => text(row, 'revision')).toSorted();
}
