import { isUtf8 } from 'node:buffer';
import type { Conversion, MisfitRule } from '../../model/transfer.ts';
import { isJson, printJsonb } from './json.ts';
import { parseDecimal, printDecimal, printDouble, printScaled } from './numbers.ts';
import { midnight, parseMoment, printInterval } from './times.ts';

/** A value that the target column cannot hold, and the rule that it breaks. */
export class Misfit {
  readonly rule: MisfitRule;
  constructor(rule: MisfitRule) {
    this.rule = rule;
  }
}

export type ConversionCounts = Map<Conversion, number>;

/**
 * Converts a value that is not NULL, as better-sqlite3 returns it, to the text that PostgreSQL prints for it, so that
 * reading the value back from the server gives the same text. Pure except for the counts.
 */
export type Converter = (value: unknown, counts: ConversionCounts) => string | Misfit;

/** A column that values are written to. `type`: as `format_type` of PostgreSQL spells it. */
export interface TargetColumn {
  readonly type: string;
  /** The labels of an enum type; null for other types. */
  readonly labels: readonly string[] | null;
}

const misfits = new Map<MisfitRule, Misfit>();
const misfit = (rule: MisfitRule): Misfit => {
  const made = misfits.get(rule) ?? new Misfit(rule);
  misfits.set(rule, made);
  return made;
};
export const nullMisfit = misfit('null');
export const rangeMisfit = misfit('range');

const countConversion = (counts: ConversionCounts, conversion: Conversion): void =>
  void counts.set(conversion, (counts.get(conversion) ?? 0) + 1);

/**
 * The converter of a column.
 * @param trusting true if U+FFFD in a text is known to be that character. Otherwise it may replace bytes that are not
 *   valid UTF-8, and the value is returned as a misfit (`encoding`), so that the caller can read its bytes
 * @throws Error for a type that no revision uses
 */
export function converterOf({ type, labels }: TargetColumn, trusting: boolean): Converter {
  if (labels !== null) {
    return enumLabel(labels);
  }
  const [, name = type, first, second] = /^([a-z ]+?)(?:\((\d+)(?:,(\d+))?\))?$/.exec(type) ?? [];
  switch (name) {
    case 'smallint':
      return integer(32_767);
    case 'integer':
      return integer(2_147_483_647);
    case 'bigint':
      return bigint;
    case 'boolean':
      return boolean;
    case 'numeric':
      return first === undefined ? numeric : scaled(Number(first), Number(second ?? 0));
    case 'double precision':
      return double;
    case 'character varying':
      return text(first === undefined ? Infinity : Number(first), trusting);
    case 'text':
      return text(Infinity, trusting);
    case 'timestamp without time zone':
      return timestamp;
    case 'date':
      return date;
    case 'time without time zone':
      return time;
    case 'interval':
      return interval;
    case 'json':
      return json(trusting, (value) => value);
    case 'jsonb':
      return json(trusting, (value) => printJsonb(value) ?? misfit('jsonb'));
    case 'bytea':
      return bytes;
    default:
      throw new Error(`no way to convert to ${type}`);
  }
}

function enumLabel(labels: readonly string[]): Converter {
  const known = new Set(labels);
  // some releases wrote labels in capitals
  return (value, counts) => {
    if (typeof value !== 'string') return misfit('label');
    if (known.has(value)) return value;
    const [found, another] = labels.filter((each) => each.toLowerCase() === value.toLowerCase());
    if (found === undefined || another !== undefined) return misfit('label');
    countConversion(counts, 'label-case');
    return found;
  };
}

const integer =
  (most: number): Converter =>
  (value) => {
    const found = typeof value === 'string' ? wholeNumber(value) : typeof value === 'bigint' ? Number(value) : value;
    if (typeof found !== 'number' || Number.isNaN(found)) return misfit('integer');
    if (found > most || found < -most - 1) return misfit('range');
    return Number.isInteger(found) ? String(found) : misfit('integer');
  };

const wholeNumber = (value: string): number => (/^\s*[+-]?\d+\s*$/.test(value) ? Number(value) : Number.NaN);

const bigint: Converter = (value) => (typeof value === 'bigint' ? String(value) : misfit('integer'));

const words: Readonly<Record<string, 'f' | 't'>> = {
  '0': 'f',
  f: 'f',
  false: 'f',
  n: 'f',
  no: 'f',
  off: 'f',
  '1': 't',
  t: 't',
  true: 't',
  y: 't',
  yes: 't',
  on: 't',
};

const boolean: Converter = (value, counts) => {
  if (value === 0 || value === 0n) return 'f';
  if (value === 1 || value === 1n) return 't';
  const word = typeof value === 'string' ? value.trim().toLowerCase() : '';
  const found = Object.hasOwn(words, word) ? words[word] : undefined;
  if (found === undefined) return misfit('boolean');
  countConversion(counts, 'word');
  return found;
};

const decimalOf = (value: unknown): ReturnType<typeof parseDecimal> =>
  typeof value === 'number' || typeof value === 'bigint' || typeof value === 'string'
    ? parseDecimal(String(value))
    : null;

/** Infinite numbers are no decimals: only `double precision` holds them. */
const isInfinite = (value: unknown): boolean => value === Infinity || value === -Infinity;

const numeric: Converter = (value) => {
  const decimal = decimalOf(value);
  if (decimal === null) return isInfinite(value) ? misfit('range') : misfit('number');
  return printDecimal(decimal) ?? misfit('range');
};

function scaled(precision: number, scale: number): Converter {
  // a double with at most 15 digits prints the digits that were written, not its binary approximation
  const end = 10 ** Math.min(precision - scale, 15 - scale);
  return (value, counts) => {
    if (typeof value === 'number' && value < end && value > -end) {
      // fast path: most numbers have no more decimal places than the column
      const printed = value.toFixed(scale);
      if (Number(printed) === value) return printed;
    }
    const decimal = decimalOf(value);
    if (decimal === null) return isInfinite(value) ? misfit('range') : misfit('number');
    const result = printScaled(decimal, precision, scale);
    if (result === null) return misfit('range');
    // 0.30000000000000004 is 0.30 after a floating-point addition: nothing is lost, so it is not reported as rounded
    if (result.rounded && !isNoise(value, result.text)) countConversion(counts, 'rounded');
    return result.text;
  };
}

const isNoise = (value: unknown, printed: string): boolean =>
  typeof value === 'number' && Math.abs(value - Number(printed)) <= Math.abs(value) * 2 ** -48;

const double: Converter = (value) => {
  if (typeof value === 'number' || typeof value === 'bigint') return printDouble(Number(value));
  return typeof value === 'string' && parseDecimal(value) !== null ? printDouble(Number(value)) : misfit('number');
};

function text(most: number, trusting: boolean): Converter {
  return (value, counts) => {
    if (typeof value === 'string') return faultOfText(value, most, trusting) ?? value;
    if (typeof value === 'number' || typeof value === 'bigint') {
      countConversion(counts, 'text-of-number');
      return String(value);
    }
    if (!Buffer.isBuffer(value) || !isUtf8(value)) return misfit('binary');
    const found = value.toString('utf8');
    const wrong = faultOfText(found, most, true);
    if (wrong === null) countConversion(counts, 'text-of-bytes');
    return wrong ?? found;
  };
}

function faultOfText(value: string, most: number, trusting: boolean): Misfit | null {
  // PostgreSQL counts characters; some of them are two UTF-16 units here
  if (value.length > most && (value.length > 2 * most || Array.from(value).length > most)) return misfit('length');
  if (!/[\0\uFFFD]/.test(value)) return null;
  if (value.includes('\0')) return misfit('nul');
  return trusting ? null : misfit('encoding');
}

function json(trusting: boolean, printed: (value: string) => string | Misfit): Converter {
  const print = (value: string): string | Misfit => (isJson(value) ? printed(value) : misfit('json'));
  return (value, counts) => {
    // SQLite stores a JSON number as a number, because the column type JSON has NUMERIC affinity
    if (typeof value === 'number' || typeof value === 'bigint') return print(String(value));
    const found = Buffer.isBuffer(value) && isUtf8(value) ? value.toString('utf8') : value;
    if (typeof found !== 'string') return misfit('binary');
    const wrong = faultOfText(found, Infinity, trusting);
    if (wrong !== null) return wrong;
    const result = print(found);
    if (typeof result === 'string' && found !== value) countConversion(counts, 'text-of-bytes');
    return result;
  };
}

const timestamp: Converter = (value, counts) => {
  const moment = typeof value === 'string' ? parseMoment(value) : null;
  if (moment === null || moment.date === null) return misfit('timestamp');
  // the application stores local times, and PostgreSQL ignores an offset in a timestamp without time zone
  if (moment.offset) countConversion(counts, 'offset');
  if (moment.time === null) countConversion(counts, 'midnight-of-date');
  return `${moment.date} ${moment.time ?? midnight}`;
};

const date: Converter = (value, counts) => {
  const moment = typeof value === 'string' ? parseMoment(value) : null;
  if (moment === null || moment.date === null || (moment.time ?? midnight) !== midnight) return misfit('date');
  if (moment.time !== null) countConversion(counts, 'date-of-midnight');
  return moment.date;
};

const time: Converter = (value, counts) => {
  const moment = typeof value === 'string' ? parseMoment(value) : null;
  if (moment === null || moment.time === null || moment.date !== null) return misfit('time');
  if (moment.offset) countConversion(counts, 'offset');
  return moment.time;
};

const interval: Converter = (value) => {
  const moment = typeof value === 'string' ? parseMoment(value) : null;
  if (moment === null || moment.date === null || moment.offset) return misfit('interval');
  return printInterval(moment.date, moment.time ?? midnight);
};

const bytes: Converter = (value) => (Buffer.isBuffer(value) ? `\\x${value.toString('hex')}` : misfit('binary'));

const escapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
};

export const copyNull = '\\N';

/** Escapes a value for COPY's text format (PostgreSQL manual, "COPY"). */
export function copyText(value: string): string {
  return /[\\\b\t\n\v\f\r]/.test(value)
    ? value.replaceAll(/[\\\b\t\n\v\f\r]/g, (sign) => escapes[sign] ?? sign)
    : value;
}
