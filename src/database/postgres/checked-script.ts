import { Transform } from 'node:stream';
import type { ArchiveObject } from '../../errors/failure.ts';
import type { ScriptOptions } from './dump-script.ts';
import { type DumpStatement, type Made, nothingMade, parseStatement } from './dump-statement.ts';

/** What was read of a script so far, and the unknown statements in it. */
export interface ScriptSummary {
  /** Rows of all tables. */
  rows: number;
  /** Bytes of all rows, as text. */
  bytes: number;
  readonly unknown: ArchiveObject[];
}

export interface CheckOptions {
  /** Which settings of the script are changed for psql. */
  readonly script: ScriptOptions;
  /** `stop`: the first unknown statement is an error. `collect`: unknown statements are left out and listed. */
  readonly onUnknown: 'stop' | 'collect';
  /** The largest number of bytes of rows. */
  readonly maxBytes: number;
  /** Schemas and enum types that earlier scripts of the same dump have created. New ones are added to it. */
  readonly made?: Made;
  /** Called with the statements and rows that pass. */
  readonly listener?: ScriptListener;
}

/** Receives the contents of a script, in order. */
export interface ScriptListener {
  statement(statement: DumpStatement): void;
  /** Bytes of the rows after a COPY, in pieces. The first piece begins with the line feed that ends the COPY line. */
  rows(bytes: Buffer): void;
  /** The rows of a COPY have ended. */
  end(): void;
}

/** A statement of a dump was not recognised. */
export class UnknownStatement extends Error {
  readonly object: ArchiveObject;

  constructor(object: ArchiveObject) {
    super(`the dump holds something that TimeTracker does not make: ${object.type} ${object.name}`);
    this.object = object;
  }
}

/** A dump holds more than `maxBytes` of rows. */
export class TooMuchData extends Error {}

/** The largest number of characters of a statement. The longest real one, a wide CREATE TABLE, has about 10,000. */
const longestStatement = 1_048_576;
/**
 * A line in quotes that ends like a statement is a reason to look whether what precedes the quote has a known shape:
 * that ends the body of a function. More often than this it is not: a text of many such lines would take hours.
 */
const mostAttempts = 10;
/** How many characters of an unknown statement are shown. */
const shownLength = 120;

const lineFeed = 0x0a;
const endOfRows = Buffer.from('\n\\.');

/**
 * Checks the SQL that pg_restore writes. Only statements whose whole text was recognised (`parseStatement`) pass, and
 * the rows that follow a COPY. Exactly the bytes that were parsed pass. Comments and psql's meta-commands are left out:
 * the caller has to send `\restrict`.
 */
export function checkScript({ script, onUnknown, maxBytes, made = nothingMade(), listener }: CheckOptions): {
  readonly stream: Transform;
  readonly summary: ScriptSummary;
} {
  const summary: ScriptSummary = { rows: 0, bytes: 0, unknown: [] };
  let state: 'statements' | 'rows' | 'skipping' = 'statements';
  /** Bytes that are not processed yet: the beginning of a line, or of what may be the end of rows. */
  let rest: Buffer = Buffer.alloc(0);
  let statement = '';
  /** The quote in which the statement stands at its end; null outside of literals and quoted names. */
  let within: string | null = null;
  /** How often it was parsed though it stands in a quote. */
  let attempts = 0;
  let heading = { type: '', name: '' };

  const refuse = (): void => {
    const text = statement.trim().replaceAll(/\s+/g, ' ');
    const object = { ...heading, statement: decode(text.slice(0, shownLength)) };
    if (onUnknown === 'stop') throw new UnknownStatement(object);
    summary.unknown.push(object);
    [statement, within, attempts] = ['', null, 0];
    // where an unknown statement ends is not known: reading goes on at the next heading comment of pg_restore
    state = 'skipping';
  };

  const readLine = (line: string, push: (bytes: Buffer) => void): void => {
    if (statement === '') {
      const headed = /^-- (?:Data for )?Name: (.*); Type: ([A-Z ]+); Schema: /.exec(line);
      if (headed !== null) {
        heading = { name: decode(headed[1] ?? ''), type: headed[2] ?? '' };
        if (state === 'skipping') state = 'statements';
        return;
      }
      if (state === 'skipping') return;
      if (line === '' || line.startsWith('--') || /^\\(?:un)?restrict \w+$/.test(line)) return;
    }
    statement += `${line}\n`;
    if (statement.length > longestStatement) return refuse();
    for (const [mark] of line.matchAll(/['"]/g)) {
      if (within === null) within = mark;
      else if (within === mark) within = null;
    }
    if (!line.endsWith(';') || (within !== null && ++attempts > mostAttempts)) return;
    const parsed = parseStatement(statement, made);
    if (parsed === 'unfinished') return;
    if (parsed === 'unknown') return refuse();
    listener?.statement(parsed);
    const told = adapt(statement, parsed, script);
    [statement, attempts] = ['', 0];
    if (parsed.kind === 'copy') {
      state = 'rows';
      // the line feed of the COPY line is counted with the rows
      summary.rows--;
      push(Buffer.from(told.slice(0, -1), 'latin1'));
    } else push(Buffer.from(told, 'latin1'));
  };

  /** Reads lines until rows begin. @returns the bytes that are left */
  const readStatements = (bytes: Buffer, push: (bytes: Buffer) => void): Buffer => {
    for (let start = 0; ;) {
      const end = bytes.indexOf(lineFeed, start);
      if (end < 0) {
        if (statement.length + bytes.length - start > longestStatement) {
          statement += bytes.toString('latin1', start, start + shownLength);
          refuse();
          return Buffer.alloc(0);
        }
        return bytes.subarray(start);
      }
      readLine(bytes.toString('latin1', start, end), push);
      start = end + 1;
      if (state === 'rows') return bytes.subarray(end);
    }
  };

  /** @returns whether the rows are such as PostgreSQL writes */
  const countRows = (bytes: Buffer): boolean => {
    // psql takes a piece of a line for no longer than up to a zero byte, and finds the end of rows where none is
    if (bytes.includes(0)) {
      statement = 'rows with a zero byte';
      refuse();
      return false;
    }
    summary.bytes += bytes.length;
    if (summary.bytes > maxBytes) throw new TooMuchData();
    if (bytes.length > 0) listener?.rows(bytes);
    for (let at = bytes.indexOf(lineFeed); at >= 0; at = bytes.indexOf(lineFeed, at + 1)) summary.rows++;
    return true;
  };

  /** Reads rows until the line that ends them. @returns the bytes that are left */
  const readRows = (bytes: Buffer, push: (bytes: Buffer) => void): Buffer => {
    const end = bytes.indexOf(endOfRows);
    if (end < 0) {
      const certain = Math.max(0, bytes.length - endOfRows.length + 1);
      if (countRows(bytes.subarray(0, certain))) push(bytes.subarray(0, certain));
      return bytes.subarray(certain);
    }
    const after = end + endOfRows.length;
    if (after >= bytes.length) {
      if (countRows(bytes.subarray(0, end))) push(bytes.subarray(0, end));
      return bytes.subarray(end);
    }
    // COPY never writes `\.` within a row, so a line that begins with it and goes on is an error
    if (bytes[after] !== lineFeed) {
      statement = 'rows with a line that begins with \\.';
      refuse();
      return bytes.subarray(after);
    }
    if (!countRows(bytes.subarray(0, end + 1))) return bytes.subarray(after + 1);
    push(bytes.subarray(0, after + 1));
    listener?.end();
    state = 'statements';
    return bytes.subarray(after + 1);
  };

  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        const push = (bytes: Buffer): void => void (bytes.length > 0 && this.push(bytes));
        rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
        for (let before = -1; rest.length !== before;) {
          before = rest.length;
          rest = state === 'rows' ? readRows(rest, push) : readStatements(rest, push);
        }
        done();
      } catch (error) {
        done(error instanceof Error ? error : new Error(String(error)));
      }
    },
    flush(done) {
      try {
        if (state === 'rows') statement = 'rows without an end';
        else if (rest.length > 0) statement += rest.toString('latin1');
        if (statement.trim() !== '' && state !== 'skipping') refuse();
        done();
      } catch (error) {
        done(error instanceof Error ? error : new Error(String(error)));
      }
    },
  });
  return { stream, summary };
}

/** Names in a dump are usually UTF-8. */
function decode(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8');
}

function adapt(
  statement: string,
  parsed: DumpStatement,
  { withoutTransactionTimeout, encoding }: ScriptOptions,
): string {
  if (withoutTransactionTimeout && statement === 'SET transaction_timeout = 0;\n') return '';
  const isUnknown = parsed.kind === 'encoding' && parsed.encoding === 'SQL_ASCII';
  return isUnknown ? `SET client_encoding = '${encoding}';\n` : statement;
}
