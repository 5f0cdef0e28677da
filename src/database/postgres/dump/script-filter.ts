import { Transform } from 'node:stream';
import { dumpReasons } from '../../../report/dump-reasons.ts';
import type { ArchiveObject } from '../../../errors/obstacles.ts';
import type { ScriptObject } from './toc.ts';
import { type AllowedNames, namesForDatabase } from './statement-cursor.ts';
import { adaptStatement, type ScriptSettings, unchangedSettings } from './script-settings.ts';
import { type DumpStatement, parseStatement } from './statement.ts';

/** Counts of the rows read so far, and the unknown statements. */
export interface ScriptSummary {
  rows: number;
  /** Bytes of all rows, as text. */
  bytes: number;
  readonly unknown: ScriptObject[];
  /** Whether the comment was read with which pg_dump ends a plain dump. */
  ended: boolean;
  /** Tables that were created and whose rows did not follow so far: pg_dump writes a COPY for each, also without rows. */
  readonly withoutRows: Set<string>;
  /** The number of tables that were created. */
  tables: number;
}

/** Which statements pass the filter, and how the others are handled. */
export interface FilterOptions {
  /** Which settings of the script are changed for psql. */
  readonly settings: ScriptSettings;
  /** `stop`: the first unknown statement is an error. `collect`: unknown statements are left out and listed. */
  readonly onUnknown: 'stop' | 'collect';
  readonly maxBytes: number;
  /** Schemas and enum types that earlier scripts of the same dump have created. New ones are added to it. */
  readonly allowed?: AllowedNames;
  /** Called with the statements and rows that pass. */
  readonly listener?: ScriptListener;
  /** Whether the script is a plain dump that is only read, and may be written by other programs than pg_restore. */
  readonly plain?: boolean;
}

/** Statements in a plain dump that `pg_restore` is told to leave out: owners and rights; and a setting of pg_dumpall. */
const leftOutOfPlainDumps =
  /^(?:SET default_transaction_read_only = off|ALTER [A-Z ]+ [^;']* OWNER TO [^;']*|(?:GRANT|REVOKE|ALTER DEFAULT PRIVILEGES) [^;']*);\s*$/;

/**
 * Statements of `--clean`, `--create` and pg_dumpall, which come before the first table: they drop what was there, and
 * create the database and roles. A new file has nothing of it.
 */
const leftOutBeforeTables =
  /^(?:DROP|ALTER TABLE|(?:CREATE|ALTER) (?:DATABASE|ROLE)|UPDATE pg_catalog\.pg_database) [^;]*;\s*$/;

/** Filters a dump in plain SQL like `filterScript`, for reading only: its output must not be executed. */
export function filterPlainDump(
  options: Pick<FilterOptions, 'maxBytes' | 'allowed' | 'listener'>,
): ReturnType<typeof filterScript> {
  const settings = unchangedSettings;
  return filterScript({ ...options, settings, onUnknown: 'collect', plain: true });
}

/** A plain dump ends before its end. */
export class CutOffDump extends Error {
  /** A table without its rows, as written in SQL; null if it is not known. */
  readonly table: string | null;

  constructor(table: string | null) {
    super(dumpReasons.cutOff(table));
    this.table = table;
  }
}

/**
 * Checks that a plain dump was read to its end. Without pg_dump's last comment (somebody may have removed the comments),
 * the rows of every table must be there.
 * @throws CutOffDump
 */
export function requireEnd({ ended, withoutRows, tables }: ScriptSummary): void {
  if (ended) return;
  const [table = null] = withoutRows;
  if (table !== null || tables === 0) throw new CutOffDump(table);
}

/** Receives the contents of a script, in order. */
export interface ScriptListener {
  statement(statement: DumpStatement): void;
  /** Bytes of the rows after a COPY, in pieces. The first piece begins with the line feed that ends the COPY line. */
  rows(bytes: Buffer): void;
  /** The rows of a COPY have ended. */
  end(): void;
}

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
 * How often a statement is parsed while a quote is open. A line inside a quote that ends with a semicolon may end a
 * statement that is unknown, such as a function body. The limit prevents quadratic time for a long text of such lines.
 */
const mostAttempts = 10;
/** How many characters of an unknown statement are shown. */
const shownLength = 120;

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const endOfRows = Buffer.from('\n\\.');

interface Filter {
  readonly options: Required<Pick<FilterOptions, 'settings' | 'onUnknown' | 'maxBytes' | 'allowed'>>;
  readonly listener: ScriptListener | undefined;
  readonly plain: boolean;
  readonly summary: ScriptSummary;
  state: 'statements' | 'rows' | 'skipping';
  /** Whether pg_dumpall has connected to another database after the first tables. */
  inAnotherDatabase: boolean;
  /** The part of the current statement that was read so far. */
  statement: string;
  /** The quote that is still open at the end of the statement so far; null if none is. */
  quote: string | null;
  /** How often the statement was parsed while a quote was open. */
  attempts: number;
  /** The object that the last heading comment of pg_restore names. */
  heading: { readonly type: string; readonly name: string; readonly schema: string };
}

type Push = (bytes: Buffer) => void;

/**
 * Checks the SQL that pg_restore writes. Only statements whose whole text was recognised (`parseStatement`), and the
 * rows that follow a COPY, pass. The bytes that pass are exactly the bytes that were parsed. Comments and psql's
 * meta-commands are left out: the caller has to send `\restrict`.
 */
export function filterScript({
  settings,
  onUnknown,
  maxBytes,
  allowed = namesForDatabase(),
  listener,
  plain = false,
}: FilterOptions): { readonly stream: Transform; readonly summary: ScriptSummary } {
  const filter: Filter = {
    options: { settings, onUnknown, maxBytes, allowed },
    listener,
    plain,
    summary: { rows: 0, bytes: 0, unknown: [], ended: false, withoutRows: new Set(), tables: 0 },
    state: 'statements',
    inAnotherDatabase: false,
    statement: '',
    quote: null,
    attempts: 0,
    heading: { type: '', name: '', schema: '-' },
  };
  /** Bytes that are not processed yet: the beginning of a line, or a possible beginning of the end-of-rows marker. */
  let rest: Buffer = Buffer.alloc(0);
  const adaptLines = plain ? openLineEnds() : (chunk: Buffer): Buffer => chunk;
  const stream = new Transform({
    transform(given: Buffer, _encoding, done) {
      const chunk = adaptLines(given);
      const push: Push = (bytes) => void (bytes.length > 0 && this.push(bytes));
      finish(done, () => {
        rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
        for (let before = -1; rest.length !== before;) {
          before = rest.length;
          rest = filter.state === 'rows' ? readRows(filter, rest, push) : readStatements(filter, rest, push);
        }
      });
    },
    flush: (done) => finish(done, () => readEnd(filter, rest)),
  });
  return { stream, summary: filter.summary };
}

/**
 * Makes the line ends of Windows plain, if the first line has one, and leaves out a byte order mark. Rows lose nothing:
 * COPY writes a carriage return as `\r`.
 */
function openLineEnds(): (chunk: Buffer) => Buffer {
  let isOfWindows: boolean | null = null;
  let held = '';
  return (chunk) => {
    const bytes = isOfWindows === null && chunk.indexOf('\uFEFF') === 0 ? chunk.subarray(3) : chunk;
    isOfWindows ??= bytes[bytes.indexOf(lineFeed) - 1] === carriageReturn;
    if (!isOfWindows) return bytes;
    const text = held + bytes.toString('latin1');
    held = text.endsWith('\r') ? '\r' : '';
    return Buffer.from(text.slice(0, text.length - held.length).replaceAll('\r\n', '\n'), 'latin1');
  };
}

/** Runs `work`, and passes its error to the callback of a stream. */
function finish(done: (error?: Error) => void, work: () => void): void {
  try {
    work();
    done();
  } catch (error) {
    done(error instanceof Error ? error : new Error(String(error)));
  }
}

/** Handles an unknown statement as `onUnknown` says. @throws UnknownStatement for `stop` */
function refuse(filter: Filter): void {
  const text = filter.statement.trim().replaceAll(/\s+/g, ' ');
  const object = { ...filter.heading, statement: decode(text.slice(0, shownLength)) };
  if (filter.options.onUnknown === 'stop') throw new UnknownStatement(object);
  filter.summary.unknown.push(object);
  [filter.statement, filter.quote, filter.attempts] = ['', null, 0];
  // the end of an unknown statement is uncertain: reading resumes at the next heading comment of pg_restore
  filter.state = 'skipping';
}

/** Reads lines until rows begin. @returns the bytes that are left */
function readStatements(filter: Filter, bytes: Buffer, push: Push): Buffer {
  for (let start = 0; ;) {
    const end = bytes.indexOf(lineFeed, start);
    if (end < 0) {
      if (filter.statement.length + bytes.length - start > longestStatement) {
        filter.statement += bytes.toString('latin1', start, start + shownLength);
        refuse(filter);
        return Buffer.alloc(0);
      }
      return bytes.subarray(start);
    }
    readLine(filter, bytes.toString('latin1', start, end), push);
    start = end + 1;
    // the line feed of the COPY line is counted with the rows
    if (isInRows(filter)) return bytes.subarray(end);
  }
}

// the compiler does not see that another function changes the state
const isInRows = (filter: Filter): boolean => filter.state === 'rows';

function readLine(filter: Filter, line: string, push: Push): void {
  if (filter.statement === '' && isBetweenStatements(filter, line)) return;
  filter.statement += `${line}\n`;
  if (filter.statement.length > longestStatement) return refuse(filter);
  for (const [mark] of line.matchAll(/['"]/g)) {
    if (filter.quote === null) filter.quote = mark;
    else if (filter.quote === mark) filter.quote = null;
  }
  if (!line.endsWith(';') || (filter.quote !== null && ++filter.attempts > mostAttempts)) return;
  const parsed = parseStatement(filter.statement, filter.options.allowed);
  if (parsed === 'unfinished') return;
  if (parsed === 'unknown') {
    if (!isLeftOut(filter)) return refuse(filter);
    [filter.statement, filter.quote, filter.attempts] = ['', null, 0];
    return;
  }
  filter.listener?.statement(parsed);
  noteRows(filter, parsed);
  const adapted = adaptStatement(filter.statement, parsed, filter.options.settings);
  [filter.statement, filter.attempts] = ['', 0];
  if (parsed.kind === 'copy') {
    filter.state = 'rows';
    // the line feed of the COPY line is counted with the rows
    filter.summary.rows--;
    push(Buffer.from(adapted.slice(0, -1), 'latin1'));
  } else push(Buffer.from(adapted, 'latin1'));
}

/** Whether an unknown statement is left out and not listed. What follows it is read as usual. */
const isLeftOut = ({ plain, statement, summary }: Filter): boolean =>
  plain && (leftOutOfPlainDumps.test(statement) || (summary.tables === 0 && leftOutBeforeTables.test(statement)));

/** @throws Error if a second database of pg_dumpall has tables */
function noteRows({ summary, inAnotherDatabase }: Filter, parsed: DumpStatement): void {
  if (parsed.kind !== 'create-table' && parsed.kind !== 'copy') return;
  if (inAnotherDatabase) throw new Error(dumpReasons.severalDatabases);
  // pg_dumpall writes the last comment of a dump after each database
  summary.ended = false;
  if (parsed.kind === 'copy') summary.withoutRows.delete(parsed.object);
  else {
    summary.tables++;
    summary.withoutRows.add(parsed.object);
  }
}

const lastComment = /^-- PostgreSQL database (?:cluster )?dump complete$/;

/** Whether a line belongs to no statement: it is a comment, or follows an unknown statement. */
function isBetweenStatements(filter: Filter, line: string): boolean {
  const heading = /^-- (?:Data for )?Name: (.*); Type: ([A-Z ]+); Schema: (.*?);/.exec(line);
  if (heading !== null) {
    const [, name = '', type = '', schema = '-'] = heading;
    filter.heading = { name: decode(name), type, schema: decode(schema) };
    if (filter.state === 'skipping') filter.state = 'statements';
    return true;
  }
  if (lastComment.test(line)) filter.summary.ended = true;
  if (filter.plain && line.startsWith(String.raw`\connect `)) {
    filter.inAnotherDatabase = filter.summary.tables > 0;
    return true;
  }
  return filter.state === 'skipping' || line === '' || line.startsWith('--') || /^\\(?:un)?restrict \w+$/.test(line);
}

/** Reads rows until the line that ends them. @returns the bytes that are left */
function readRows(filter: Filter, bytes: Buffer, push: Push): Buffer {
  const end = bytes.indexOf(endOfRows);
  if (end < 0) {
    const certain = Math.max(0, bytes.length - endOfRows.length + 1);
    if (countRows(filter, bytes.subarray(0, certain))) push(bytes.subarray(0, certain));
    return bytes.subarray(certain);
  }
  const after = end + endOfRows.length;
  if (after >= bytes.length) {
    if (countRows(filter, bytes.subarray(0, end))) push(bytes.subarray(0, end));
    return bytes.subarray(end);
  }
  // COPY never writes `\.` within a row, so a line that begins with it and goes on is an error
  if (bytes[after] !== lineFeed) {
    filter.statement = 'rows with a line that begins with \\.';
    refuse(filter);
    return bytes.subarray(after);
  }
  if (!countRows(filter, bytes.subarray(0, end + 1))) return bytes.subarray(after + 1);
  push(bytes.subarray(0, after + 1));
  filter.listener?.end();
  filter.state = 'statements';
  return bytes.subarray(after + 1);
}

/** Counts rows and passes them to the listener. @returns false if PostgreSQL would not write such rows (zero bytes) */
function countRows(filter: Filter, bytes: Buffer): boolean {
  // psql reads a part of a line only up to a zero byte, and could take `\.` inside a row for the end of the rows
  if (bytes.includes(0)) {
    filter.statement = 'rows with a zero byte';
    refuse(filter);
    return false;
  }
  const { summary, listener, options } = filter;
  summary.bytes += bytes.length;
  if (summary.bytes > options.maxBytes) throw new TooMuchData();
  if (bytes.length > 0) listener?.rows(bytes);
  for (let at = bytes.indexOf(lineFeed); at >= 0; at = bytes.indexOf(lineFeed, at + 1)) summary.rows++;
  return true;
}

/** Handles the end of the script: an incomplete statement or rows without an end count as an unknown statement. */
function readEnd(filter: Filter, rest: Buffer): void {
  if (filter.state === 'rows') filter.statement = 'rows without an end';
  else if (rest.length > 0) filter.statement += rest.toString('latin1');
  if (filter.statement.trim() !== '' && filter.state !== 'skipping') refuse(filter);
}

/** Names in a dump are usually UTF-8. */
function decode(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8');
}
