import { Mismatch, openCursor, quoted, string, tokenize } from '../sql-cursor.ts';

/**
 * A grammar of the CREATE TABLE and CREATE INDEX statements in SQLite files of TimeTracker. Such a statement calls no
 * functions except those for the current time, has no generated columns and no indexes on expressions. Triggers and
 * views are not in the grammar. It covers https://sqlite.org/lang_createtable.html and lang_createindex.html without
 * expressions.
 */

const tokenPattern = new RegExp(
  [
    string,
    quoted,
    String.raw`(?<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.$]))`,
    String.raw`(?<word>[A-Za-z_]\w*(?!['"$]))(?![\w$'"])`,
    // neither the beginning of a comment nor `->`, which calls a function
    String.raw`(?<mark>==|<>|!=|<=|>=|\|\||[(),.=<>*+]|/(?!\*)|-(?![->]))`,
  ].join('|'),
  'y',
);

type Cursor = ReturnType<typeof openCursor>;

/**
 * Whether the statement of a table or an index matches the grammar, and names that object.
 * @param sql the text in sqlite_schema
 */
export function isPlainStatement(type: 'table' | 'index', name: string, sql: string): boolean {
  const tokens = tokenize(sql, tokenPattern);
  if (typeof tokens === 'string') return false;
  const cursor = openCursor(tokens, { fold: (word) => word.toUpperCase(), isName: () => true });
  try {
    const named = type === 'table' ? createTable(cursor) : createIndex(cursor);
    return cursor.peek() === undefined && unquoted(named) === name;
  } catch (error) {
    if (error instanceof Mismatch) return false;
    throw error;
  }
}

const unquoted = (name: string): string => (name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name);

function createTable(cursor: Cursor): string {
  cursor.expect('CREATE TABLE');
  const name = cursor.identifier();
  cursor.list(() => {
    if (!tableConstraint(cursor)) column(cursor);
  });
  while (cursor.take('WITHOUT ROWID') || cursor.take('STRICT')) cursor.take(',');
  return name;
}

function column(cursor: Cursor): void {
  cursor.identifier();
  while (cursor.peek()?.kind === 'word' && !clauses.has(cursor.peek()?.text.toUpperCase() ?? '')) {
    cursor.expectKind('word');
  }
  if (cursor.take('(')) {
    cursor.integer();
    if (cursor.take(',')) cursor.integer();
    cursor.expect(')');
  }
  while (columnConstraint(cursor));
}

const clauses = new Set(
  'CONSTRAINT PRIMARY NOT NULL UNIQUE CHECK DEFAULT COLLATE REFERENCES GENERATED AS ON'.split(' '),
);

function columnConstraint(cursor: Cursor): boolean {
  const { take } = cursor;
  if (take('CONSTRAINT')) cursor.identifier();
  if (take('NOT NULL') || take('NULL') || take('UNIQUE')) return true;
  if (take('PRIMARY KEY')) {
    if (!take('ASC')) take('DESC');
    take('AUTOINCREMENT');
    return true;
  }
  if (take('DEFAULT')) {
    constant(cursor);
    return true;
  }
  if (take('COLLATE')) {
    collation(cursor);
    return true;
  }
  if (take('CHECK')) {
    condition(cursor);
    return true;
  }
  return references(cursor);
}

function tableConstraint(cursor: Cursor): boolean {
  const { take } = cursor;
  const named = take('CONSTRAINT');
  if (named) cursor.identifier();
  if (take('PRIMARY KEY') || take('UNIQUE')) {
    indexedColumns(cursor);
    return true;
  }
  if (take('CHECK')) {
    condition(cursor);
    return true;
  }
  if (take('FOREIGN KEY')) {
    cursor.columns();
    if (!references(cursor)) throw new Mismatch();
    return true;
  }
  if (named) throw new Mismatch();
  return false;
}

function references(cursor: Cursor): boolean {
  const { take } = cursor;
  if (!take('REFERENCES')) return false;
  cursor.identifier();
  if (cursor.peek()?.text === '(') cursor.columns();
  while (take('ON DELETE') || take('ON UPDATE')) {
    if (!['CASCADE', 'RESTRICT', 'NO ACTION', 'SET NULL', 'SET DEFAULT'].some(take)) throw new Mismatch();
  }
  if (take('NOT DEFERRABLE') || take('DEFERRABLE')) {
    if (!take('INITIALLY DEFERRED')) take('INITIALLY IMMEDIATE');
  }
  return true;
}

/** A default: a literal, or the current time. */
function constant(cursor: Cursor): void {
  const { take } = cursor;
  if (take('(')) {
    constant(cursor);
    cursor.expect(')');
    return;
  }
  if (['DATETIME', 'DATE', 'TIME'].some((word) => take(`${word} (`))) {
    if (cursor.expectKind('string') !== "'now'") throw new Mismatch();
    cursor.expect(')');
    return;
  }
  if (take('-') || take('+')) cursor.expectKind('number');
  else if (!defaultKeywords.some(take) && cursor.takeKind('string') === null) cursor.expectKind('number');
}

const defaultKeywords = ['TRUE', 'FALSE', 'NULL', 'CURRENT_TIMESTAMP', 'CURRENT_DATE', 'CURRENT_TIME'];

function collation(cursor: Cursor): void {
  if (!['BINARY', 'NOCASE', 'RTRIM'].some(cursor.take)) throw new Mismatch();
}

/** A condition over plain columns, in parentheses. It calls no functions. */
function condition(cursor: Cursor): void {
  cursor.expect('(');
  while (!cursor.take(')')) term(cursor);
}

function term(cursor: Cursor): void {
  const token = cursor.peek();
  if (token === undefined) throw new Mismatch();
  if (token.text === '(') return condition(cursor);
  if (token.kind === 'mark') return cursor.expect(token.text);
  cursor.expectKind(token.kind);
  // a name before a parenthesis is a function call, even a quoted one
  const word = token.kind === 'word' ? token.text.toUpperCase() : '';
  const opens = cursor.peek()?.text === '(';
  if (opens && !operators.has(word)) throw new Mismatch();
  // IN without a parenthesis would read a table
  if ((word === 'IN' && !opens) || forbidden.has(word)) throw new Mismatch();
  if (word === 'COLLATE') collation(cursor);
}

const operators = new Set(['AND', 'OR', 'NOT', 'IN']);
const forbidden = new Set(['SELECT', 'CAST', 'EXISTS', 'RAISE', 'MATCH', 'REGEXP', 'CASE']);

function indexedColumns(cursor: Cursor): void {
  cursor.list(() => {
    cursor.identifier();
    if (cursor.take('COLLATE')) collation(cursor);
    if (!cursor.take('ASC')) cursor.take('DESC');
  });
}

function createIndex(cursor: Cursor): string {
  if (!cursor.take('CREATE INDEX')) cursor.expect('CREATE UNIQUE INDEX');
  const name = cursor.identifier();
  cursor.expect('ON');
  cursor.identifier();
  indexedColumns(cursor);
  if (cursor.take('WHERE')) while (cursor.peek() !== undefined) term(cursor);
  return name;
}
