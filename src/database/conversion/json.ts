import { parseDecimal, printDecimal } from './numbers.ts';

/** Whether PostgreSQL accepts a text as JSON. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const number = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const string = /"(?:[^"\\]|\\.)*"/y;
const blanks = /[ \t\n\r]*/y;

/**
 * The text is JSON, but PostgreSQL's `jsonb` cannot hold it: it has a NUL character, a lone surrogate, a number beyond
 * `numeric`, or the same key twice in one object (`jsonb` would keep only the last value).
 */
class NotStorable extends Error {}

/**
 * Prints JSON as PostgreSQL prints a `jsonb`: keys sorted by length and then by bytes, numbers as decimals.
 * @param text valid JSON (`isJson`)
 * @returns null if a `jsonb` cannot hold it
 */
export function printJsonb(text: string): string | null {
  let at = 0;
  const take = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const [found = ''] = pattern.exec(text) ?? [];
    at += found.length;
    return found;
  };
  const takeString = (): string => {
    const value: unknown = JSON.parse(take(string));
    if (typeof value !== 'string' || value.includes('\0') || /\p{Cs}/u.test(value)) throw new NotStorable();
    return value;
  };
  const list = (end: string, item: () => void): void => {
    at++;
    for (take(blanks); text[at] !== end; take(blanks)) {
      if (text[at] === ',') at++;
      take(blanks);
      item();
    }
    at++;
  };
  const value = (): string => {
    take(blanks);
    switch (text[at]) {
      case '{': {
        const members = new Map<string, string>();
        list('}', () => {
          const key = takeString();
          take(blanks);
          at++;
          if (members.has(key)) throw new NotStorable();
          members.set(key, value());
        });
        return printObject(members);
      }
      case '[': {
        const items: string[] = [];
        list(']', () => items.push(value()));
        return `[${items.join(', ')}]`;
      }
      case '"':
        return JSON.stringify(takeString());
      case 't':
      case 'f':
      case 'n':
        return take(/[a-z]+/y);
      case undefined:
      default: {
        const decimal = parseDecimal(take(number));
        const printed = decimal && printDecimal(decimal);
        if (printed === null) throw new NotStorable();
        return printed;
      }
    }
  };
  try {
    return value();
  } catch (error) {
    // RangeError: nested so deeply that the stack overflows; PostgreSQL's stack limit refuses that as well
    if (error instanceof NotStorable || error instanceof RangeError) return null;
    throw error;
  }
}

function printObject(members: ReadonlyMap<string, string>): string {
  const sorted = [...members]
    .map(([key, value]) => ({ bytes: Buffer.from(key), text: `${JSON.stringify(key)}: ${value}` }))
    .toSorted((one, other) => one.bytes.length - other.bytes.length || Buffer.compare(one.bytes, other.bytes));
  return `{${sorted.map(({ text }) => text).join(', ')}}`;
}
