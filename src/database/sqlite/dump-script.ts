import { constants, isUtf8 } from 'node:buffer';
import { closeSync, openSync } from 'node:fs';
import SQLite from 'better-sqlite3';
import type { ArchiveObject } from '../../errors/obstacles.ts';
import type { DumpTextDefect } from '../../model/archive-defect.ts';
import { createYielder } from '../../platform/event-loop.ts';
import { syncToDisk } from '../../platform/durable-file.ts';
import { Mismatch, openCursor, quoted, string, tokenize } from '../sql-cursor.ts';
import { openWriter, type RowWriter } from './row-writer.ts';
import { isPlainStatement } from './schema-statement.ts';

/** A text of SQL that `sqlite3 .dump` did not write, or did not write to its end. */
export class DumpScriptError extends Error {
  readonly defect: DumpTextDefect;

  constructor(defect: DumpTextDefect) {
    super(defect.kind);
    this.defect = defect;
  }
}

/**
 * Makes a new SQLite file from what `sqlite3 .dump` (or Python's `iterdump`) wrote. Of the text, only statements run whose
 * whole text was recognised: plain tables and indexes (`schema-statement.ts`), and rows of literals.
 * @param trusted whether views, triggers and any other table or index are made too
 * @returns the objects that were left out
 * @throws DumpScriptError; the error of SQLite; or that of the content
 */
export async function loadDumpScript(
  content: AsyncIterable<Buffer>,
  file: string,
  trusted: boolean,
): Promise<readonly ArchiveObject[]> {
  closeSync(openSync(file, 'wx', 0o600));
  const writer = openWriter(file);
  const loader = openLoader(writer, trusted);
  const pause = createYielder();
  try {
    for await (const statement of statementsIn(content)) {
      await pause();
      loader.take(statement);
    }
    loader.end();
    writer.commit();
  } catch (error) {
    const isOfText =
      error instanceof SQLite.SqliteError && !/^SQLITE_(?:FULL|IOERR|CANTOPEN|READONLY)/.test(error.code);
    throw isOfText ? new DumpScriptError({ kind: 'refused-statement', message: error.message }) : error;
  } finally {
    writer.close();
  }
  syncToDisk(file);
  return loader.unknown;
}

interface ScriptLoader {
  readonly unknown: readonly ArchiveObject[];
  take(statement: string): void;
  end(): void;
}

/** How many characters of a statement are shown, and how many statements are kept. */
const shownLength = 120;
const mostUnknown = 1000;

/** Settings, and statistics, which SQLite computes again. */
const leftOut = /^(?:PRAGMA (?:foreign_keys|writable_schema)\s*=\s*(?:ON|OFF)|ANALYZE "?sqlite_(?:schema|master)"?);$/i;
const statistics = /^(?:CREATE TABLE|INSERT INTO) "?sqlite_stat\d/i;

function openLoader(writer: RowWriter, trusted: boolean): ScriptLoader {
  const unknown: ArchiveObject[] = [];
  let state: 'before' | 'within' | 'after' = 'before';
  const refuse = (statement: string): void => {
    if (unknown.length >= mostUnknown) return;
    const [, type = '', name = ''] =
      /^CREATE\s+(?:\w+\s+)*?(TABLE|INDEX|VIEW|TRIGGER)\s+("[^"]*"|\S+)/i.exec(statement) ?? [];
    const shown = statement.replaceAll(/\s+/g, ' ').slice(0, shownLength);
    unknown.push({ type: type.toUpperCase(), name: name.replaceAll('"', ''), statement: shown });
  };
  const create = (statement: string): void => {
    const plain = statement.replace(/^CREATE TABLE IF NOT EXISTS/, 'CREATE TABLE');
    const [, type, quotedName, word] = createStatement.exec(plain) ?? [];
    const name = quotedName?.replaceAll('""', '"') ?? word ?? '';
    const isPlain = isPlainStatement(type === 'TABLE' ? 'table' : 'index', name, plain.replace(/;$/, ''));
    // CREATE is all that a trusted text may do: no ATTACH, no PRAGMA
    if (isPlain || trusted) writer.run(plain);
    else refuse(statement);
  };
  return {
    unknown,
    take(statement) {
      if (leftOut.test(statement) || statistics.test(statement)) return;
      if (state === 'before' && /^BEGIN(?: TRANSACTION)?;$/i.test(statement)) state = 'within';
      else if (state === 'after') throw new DumpScriptError({ kind: 'goes-on' });
      else if (/^ROLLBACK;/i.test(statement)) throw new DumpScriptError({ kind: 'written-with-errors' });
      else if (state === 'before') refuse(statement);
      else if (/^(?:COMMIT|END)(?: TRANSACTION)?;$/i.test(statement)) state = 'after';
      else if (/^CREATE\s/i.test(statement)) create(statement);
      else if (isRow(statement) || /^DELETE FROM "?sqlite_sequence"?;$/i.test(statement)) writer.run(statement);
      else refuse(statement);
    },
    end() {
      if (state !== 'after') throw new DumpScriptError({ kind: 'cut-off', table: null });
    },
  };
}

const createStatement = /^CREATE (?:UNIQUE )?(TABLE|INDEX) (?:"((?:[^"]|"")+)"|(\w+))/;

const tokenPattern = new RegExp(
  [
    string,
    quoted,
    String.raw`(?<number>[xX]'[\da-fA-F]*'|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.$]))`,
    String.raw`(?<word>[A-Za-z_]\w*(?!['"$]))(?![\w$'"])`,
    String.raw`(?<mark>[(),;+-])`,
  ].join('|'),
  'y',
);

type Cursor = ReturnType<typeof openCursor>;

/** Whether a statement inserts rows of literals, and does nothing else. */
function isRow(statement: string): boolean {
  const tokens = tokenize(statement, tokenPattern);
  if (typeof tokens === 'string') return false;
  const cursor = openCursor(tokens, { fold: (word) => word.toUpperCase(), isName: () => true });
  try {
    cursor.expect('INSERT INTO');
    if (/^"?sqlite_(?!sequence\b)/i.test(cursor.identifier())) return false;
    if (cursor.peek()?.text === '(') cursor.columns();
    cursor.expect('VALUES');
    do cursor.list(() => value(cursor));
    while (cursor.take(','));
    cursor.expect(';');
    return cursor.peek() === undefined;
  } catch (error) {
    if (error instanceof Mismatch) return false;
    throw error;
  }
}

/** A literal, or the calls with which `.dump` writes line ends and other control characters. */
function value(cursor: Cursor): void {
  const { take, expect, expectKind, takeKind } = cursor;
  if (take('REPLACE (')) {
    value(cursor);
    expect(',');
    expectKind('string');
    expect(', CHAR (');
    expectKind('number');
    expect(') )');
  } else if (take('UNISTR (')) {
    expectKind('string');
    expect(')');
  } else if (take('CAST (')) {
    expectKind('number');
    expect('AS TEXT )');
  } else if (take('-') || take('+')) expectKind('number');
  else if (!take('NULL') && takeKind('string') === null) expectKind('number');
}

/** The longest statement that fits into a string of JavaScript, with a reserve. */
const longestStatement = constants.MAX_STRING_LENGTH - 1024 * 1024;

/**
 * A statement that was read as one character per byte. SQLite stores any bytes as text: a literal of others than UTF-8
 * becomes a literal of bytes.
 */
function utf8Of(statement: string): string {
  const bytes = Buffer.from(statement, 'latin1');
  if (isUtf8(bytes)) return bytes.toString('utf8');
  const literals = statement.replaceAll(/'[^']*(?:''[^']*)*'/g, (literal) => {
    if (isUtf8(Buffer.from(literal, 'latin1'))) return literal;
    const text = literal.slice(1, -1).replaceAll("''", "'");
    return `CAST(x'${Buffer.from(text, 'latin1').toString('hex')}' AS TEXT)`;
  });
  return Buffer.from(literals, 'latin1').toString('utf8');
}

/** Splits the text into statements: each ends with a semicolon at the end of a line, outside of quotes. */
async function* statementsIn(content: AsyncIterable<Buffer>): AsyncGenerator<string, void, undefined> {
  let statement = '';
  let quote: string | null = null;
  for await (const line of linesIn(content)) {
    if (statement === '' && (line === '' || line.startsWith('--') || line.startsWith('/*'))) continue;
    if (statement.length + line.length > longestStatement) throw new DumpScriptError({ kind: 'long-statement' });
    statement += statement === '' ? line : `\n${line}`;
    for (const [mark] of line.matchAll(/['"]/g)) {
      if (quote === null) quote = mark;
      else if (quote === mark) quote = null;
    }
    if (quote !== null || !/;(?: -- due to errors)?$/.test(line)) continue;
    if (/^CREATE (?:TEMP )?TRIGGER\b/i.test(statement) && !/\bEND;$/i.test(line)) continue;
    yield utf8Of(statement);
    statement = '';
  }
  if (statement !== '') throw new DumpScriptError({ kind: 'cut-off', table: null });
}

/**
 * Lines, one character per byte, without the line ends of Windows if the first line has one, and without a byte order
 * mark.
 */
async function* linesIn(content: AsyncIterable<Buffer>): AsyncGenerator<string, void, undefined> {
  let rest = '';
  let isOfWindows: boolean | null = null;
  const withoutReturn = (line: string): string => {
    isOfWindows ??= line.endsWith('\r');
    return isOfWindows && line.endsWith('\r') ? line.slice(0, -1) : line;
  };
  for await (const chunk of content) {
    const text = chunk.toString('latin1');
    const lines = (isOfWindows === null && rest === '' ? text.replace(/^\xef\xbb\xbf/, '') : text).split('\n');
    lines[0] = rest + (lines[0] ?? '');
    rest = lines.pop() ?? '';
    if (rest.length > longestStatement) throw new DumpScriptError({ kind: 'long-statement' });
    for (const line of lines) yield withoutReturn(line);
  }
  if (rest !== '') yield withoutReturn(rest);
}
