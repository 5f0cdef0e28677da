import { type Answer, rowFaults } from '../model/database-facts.ts';
import type { Row } from '../model/engine.ts';

/** Reads a text that is never NULL. @throws TypeError for another value: the query and the code that reads it differ */
export function text(row: Row, key: string): string {
  const value = row[key];
  if (typeof value !== 'string') throw wrongType(key, 'text', value);
  return value;
}

/** A text, or null for NULL. @throws TypeError */
export function optionalText(row: Row, key: string): string | null {
  return row[key] === null ? null : text(row, key);
}

/** A number; PostgreSQL returns 64-bit integers as text. @throws TypeError */
export function number(row: Row, key: string): number {
  const value = row[key];
  if (typeof value === 'string' && value !== '' && Number.isFinite(Number(value))) return Number(value);
  if (typeof value !== 'number') throw wrongType(key, 'a number', value);
  return value;
}

/** A number, or null for NULL. @throws TypeError */
export function optionalNumber(row: Row, key: string): number | null {
  return row[key] === null ? null : number(row, key);
}

/** A boolean; SQLite returns 0 and 1. @throws TypeError */
export function flag(row: Row, key: string): boolean {
  const value = row[key];
  if (value === 0 || value === 1) return value === 1;
  if (typeof value !== 'boolean') throw wrongType(key, 'a truth value', value);
  return value;
}

/** A list of strings, from JSON. @throws TypeError */
export function texts(row: Row, key: string): readonly string[] {
  const value = row[key];
  if (!Array.isArray(value)) throw wrongType(key, 'a list', value);
  return value.map((entry: unknown) => {
    if (typeof entry !== 'string') throw wrongType(key, 'a list of texts', entry);
    return entry;
  });
}

/** Reads the rows that the server has put into one JSON text. @throws Error if it is not a list */
export function rowsOfJson(json: string): readonly Row[] {
  const rows: unknown = JSON.parse(json);
  if (!Array.isArray(rows)) throw new Error('the server did not answer with a list');
  return rows.filter((row): row is Row => typeof row === 'object' && row !== null);
}

/** The first row of a query that always has one. */
export function only(rows: readonly Row[]): Row {
  const [row] = rows;
  if (row === undefined) throw new TypeError('the database answered without a row');
  return row;
}

function wrongType(key: string, expected: string, value: unknown): TypeError {
  return new TypeError(`${key} is not ${expected} but ${value === null ? 'NULL' : typeof value}`);
}

/** Reads a result row of a `Question`. @throws TypeError */
export function readAnswer(row: Row): Answer {
  const asked = text(row, 'fault');
  const fault = rowFaults.find((each) => each === asked);
  if (fault === undefined) throw new TypeError(`no question about ${asked} was asked`);
  return { fault, table: text(row, 'table'), value: text(row, 'value') };
}
