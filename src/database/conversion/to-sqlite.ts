import type { MisfitRule } from '../../model/transfer.ts';
import { converterOf, Misfit, type ConversionCounts } from './convert.ts';
import { isJson } from './json.ts';
import { parseDecimal, printDecimal } from './numbers.ts';

/** A value as SQLAlchemy stores it in SQLite. */
export type SqliteValue = string | number | bigint | Buffer;

/** How the values of a column are stored in SQLite, and read back. Pure except for the counts. */
export interface ColumnConversion {
  /** Converts a value that is not NULL, as PostgreSQL prints it. */
  readonly toSqlite: (text: string, counts: ConversionCounts) => SqliteValue | Misfit;
  /** Prints a SQLite value that is not NULL as PostgreSQL would. Equal values give the same text. */
  readonly print: (value: unknown) => string | Misfit;
}

interface StorageKind {
  /** Returns the value that SQLite stores; null if the text is no value of this kind. */
  readonly store: (text: string) => SqliteValue | null;
  readonly rule: MisfitRule;
  /** The rule that is broken if SQLite would store another value; `rule` if absent. */
  readonly changed?: MisfitRule;
  /** Gives equal values the same text. */
  readonly normalise?: (text: string) => string;
}

const uncounted: ConversionCounts = new Map();

/**
 * The conversion of a column.
 *
 * A value fits if the stored value prints as the same text again. This check of every value finds a numeric of twenty
 * digits that a double cannot hold, the date `infinity`, and invalid text.
 * @param given the type of the column in the dump, as PostgreSQL prints it; for an enum: `text`
 * @param expected the type that the application expects on PostgreSQL; null for a column that is not TimeTracker's
 */
export function conversionToSqlite(given: string, expected: string | null): ColumnConversion {
  const type = given.replace(/ ?\(\d+\)(?= with)/, '');
  const into = expected === null || isStoredAlike(type, expected) ? type : expected;
  const kind = storageKindOf(into, expected !== null);
  const print = kind === null ? printPlainly : converterOf({ type: plainName(into), labels: null }, true);
  const adapt = into === type ? null : converterOf({ type: into, labels: null }, true);
  const {
    store = (text: string): SqliteValue => text,
    rule = 'encoding',
    normalise = (text: string) => text,
  } = kind ?? {};
  const changed = kind?.changed ?? rule;
  const printed = (value: unknown): string | Misfit => {
    const text = print(value, uncounted);
    return typeof text === 'string' ? normalise(text) : text;
  };
  return {
    print: printed,
    toSqlite(found, counts) {
      const text = adapt === null ? found : adapt(found, counts);
      if (typeof text !== 'string') return text;
      const value = store(text);
      if (value === null) return new Misfit(rule);
      return printed(value) === normalise(text) ? value : new Misfit(changed);
    },
  };
}

/** Whether SQLite stores the type of the dump in the same way as the expected type. */
function isStoredAlike(type: string, expected: string): boolean {
  return type === expected || families.some((family) => family.test(type) && family.test(expected));
}

const families = [
  /^(?:smallint|integer|bigint)$/,
  /^(?:numeric|double precision|real)/,
  /^(?:text|character varying|character|bpchar)/,
];

/** The type without its length, which SQLite does not check. */
const plainName = (type: string): string =>
  type === 'real' ? 'double precision' : type.replace(/^(?:character varying|character|bpchar).*/, 'text');

/** @returns null for types whose values are stored as the text that PostgreSQL prints */
function storageKindOf(type: string, expected: boolean): StorageKind | null {
  const [name = ''] = /^[a-z ]+/.exec(type) ?? [];
  if (type.endsWith(']')) return null;
  switch (name) {
    case 'smallint':
    case 'integer':
    case 'bigint':
      return { rule: 'integer', store: (text) => (/^-?\d+$/.test(text) ? BigInt(text) : null) };
    case 'boolean':
      return { rule: 'boolean', store: (text) => (text === 't' ? 1n : text === 'f' ? 0n : null) };
    case 'double precision':
    case 'real':
      // SQLite stores NaN as NULL, and -0 as 0
      return {
        rule: 'number',
        store: (text) => (text === 'NaN' ? null : Number(text)),
        normalise: (text) => (text === '-0' ? '0' : text),
      };
    case 'numeric':
      return expected
        ? {
            rule: 'number',
            changed: 'digits',
            store: (text) => (isNumber(text) ? Number(text) : null),
            normalise: shortest,
          }
        : null;
    case 'bytea':
      return { rule: 'binary', store: bytesOf };
    default:
      return expected ? storageKindOfExpected(name) : null;
  }
}

function storageKindOfExpected(name: string): StorageKind | null {
  switch (name) {
    case 'timestamp without time zone':
      return { rule: 'timestamp', store: withMicroseconds };
    case 'time without time zone':
      return { rule: 'time', store: withMicroseconds };
    case 'date':
      return { rule: 'date', store: (text) => text };
    case 'interval':
      return { rule: 'interval', store: momentOfInterval, normalise: wholeDays };
    case 'json':
    case 'jsonb':
      return { rule: 'json', store: jsonOf, normalise: (text) => (isNumber(text) ? shortest(text.trim()) : text) };
    case 'character varying':
    case 'text':
      return { rule: 'encoding', store: (text) => text };
    default:
      return null;
  }
}

const printPlainly = (value: unknown): string | Misfit => (typeof value === 'string' ? value : new Misfit('encoding'));

/** `1.50` and `1.5` are the same number. */
function shortest(text: string): string {
  const decimal = parseDecimal(text);
  const printed = decimal && printDecimal(decimal);
  if (printed === null) return text;
  return printed.includes('.') ? printed.replace(/\.?0+$/, '') : printed;
}

const isNumber = (text: string): boolean => parseDecimal(text) !== null;

/** The column type JSON has NUMERIC affinity, so SQLite stores JSON that is a number as a number. */
function jsonOf(text: string): SqliteValue | null {
  if (!isJson(text)) return null;
  if (!isNumber(text)) return text;
  const value = Number(text);
  return Number.isSafeInteger(value) ? BigInt(value) : value;
}

/** SQLAlchemy always writes six fractional digits of a second. */
function withMicroseconds(text: string): string {
  const [, whole = text, fraction = ''] = /^(.*?)(?:\.(\d+))?$/.exec(text) ?? [];
  return `${whole}.${fraction.padEnd(6, '0')}`;
}

/** Reads a `bytea` in hex format; null for the older escape format (`bytea_output = escape`). */
const bytesOf = (text: string): Buffer | null =>
  text.startsWith(String.raw`\x`) ? Buffer.from(text.slice(2), 'hex') : null;

const interval = /^(?:(-?\d+) days? ?)?(?:([+-]?)(\d+):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?$/;

/** The length of an interval in microseconds; null if it has months or years, whose length varies. */
function lengthOf(text: string): bigint | null {
  const [found, days = '0', sign = '', hours = '0', minutes = '0', seconds = '0', fraction = ''] =
    interval.exec(text) ?? [];
  if (found === undefined || found === '') return null;
  const time = BigInt(hours) * 3600n + BigInt(minutes) * 60n + BigInt(seconds);
  const micros = time * 1_000_000n + BigInt(fraction.padEnd(6, '0'));
  return BigInt(days) * 86_400_000_000n + (sign === '-' ? -micros : micros);
}

/** An interval as SQLAlchemy stores it in SQLite: as the start of 1970 plus the interval. */
function momentOfInterval(text: string): string | null {
  const micros = lengthOf(text);
  if (micros === null) return null;
  const rest = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const moment = new Date(Number((micros - rest) / 1000n));
  // years after 9999 do not have four digits, and SQLAlchemy cannot read them
  if (Number.isNaN(moment.getTime()) || !/^\d{4}-/.test(moment.toISOString())) return null;
  return `${moment.toISOString().slice(0, 19).replace('T', ' ')}.${String(rest).padStart(6, '0')}`;
}

/** Makes `26:00:00` and `1 day 02:00:00` equal. */
const wholeDays = (text: string): string => String(lengthOf(text) ?? text);
