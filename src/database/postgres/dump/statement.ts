import { Mismatch, type NoStatement, tokenize } from '../../sql-cursor.ts';
import {
  type AllowedNames,
  openStatementCursor,
  type StatementCursor as Cursor,
  tokenPattern,
} from './statement-cursor.ts';

/**
 * A grammar of the statements in a dump of TimeTracker: `parseStatement` recognises a statement only if its whole text
 * matches the grammar. No such statement calls a function that an archive could define, names a role, or reaches
 * outside its database. The grammar covers what pg_dump 13 to 18 write for tables, sequences, enum types, constraints
 * and indexes (PostgreSQL's pg_dump.c and ruleutils.c).
 */

export type DumpStatement =
  | { readonly kind: 'create-type' | 'create-sequence' | 'create-schema'; readonly object: string }
  | { readonly kind: 'create-table'; readonly object: string; readonly columns: readonly DumpColumn[] }
  | { readonly kind: 'constraint' | 'index'; readonly object: string }
  /** Rows follow, up to a line `\.`. */
  | { readonly kind: 'copy'; readonly object: string; readonly columns: readonly string[] }
  /** The encoding of everything after this statement. */
  | { readonly kind: 'encoding'; readonly encoding: string }
  /** Settings, defaults, owners of sequences, positions of sequences, comments. */
  | { readonly kind: 'other' };

/** A column of a table, its name as written in SQL. `type`: as PostgreSQL prints it, or a qualified enum type. */
interface DumpColumn {
  readonly name: string;
  readonly type: string;
}

/**
 * Whether an archive may create a schema: not one of the server's, nor one that `restore --undo` would take for the
 * former database. Quarantine schemas are in every backup of a database that has them.
 */
const mayBeCreated = (schema: string): boolean => !/^"?(?:pg_|information_schema|tt_(?:before|restore)_)/.test(schema);

/**
 * Recognises one statement.
 * @param text the statement with its semicolon, as latin1 (one character per byte)
 * @param made the schemas and enum types that the dump has created so far; new ones are added
 */
export function parseStatement(text: string, made: AllowedNames): DumpStatement | NoStatement {
  const tokens = tokenize(text, tokenPattern);
  if (typeof tokens === 'string') return tokens;
  if (tokens.at(-1)?.text !== ';') return 'unfinished';
  const encoding = clientEncoding.exec(text.trim())?.[1];
  if (encoding !== undefined) return { kind: 'encoding', encoding };
  if (fixedStatements.some((shape) => shape.test(text.trim()))) return { kind: 'other' };
  try {
    return statement(openStatementCursor(tokens, made), made);
  } catch (error) {
    if (error instanceof Mismatch) return 'unknown';
    throw error;
  }
}

// only server encodings: in encodings that only clients may use, a byte of a character can equal a quote
const clientEncoding =
  /^SET client_encoding = '(UTF8|SQL_ASCII|LATIN\d+|ISO_8859_\d|WIN\d+|KOI8[RU]|EUC_\w+|MULE_INTERNAL)';$/;

/** The settings that pg_restore writes at the beginning of a script and before objects. */
const fixedStatements = [
  /^SET (?:statement_timeout|lock_timeout|idle_in_transaction_session_timeout|transaction_timeout) = 0;$/,
  /^SET standard_conforming_strings = on;$/,
  /^SELECT pg_catalog\.set_config\('search_path', '', false\);$/,
  /^SET (?:check_function_bodies = false|xmloption = content|client_min_messages = warning|row_security = off);$/,
  /^SET default_tablespace = '';$/,
  /^SET default_table_access_method = heap;$/,
];

function statement(cursor: Cursor, { schemas, mayCreateSchemas: open, enums }: AllowedNames): DumpStatement {
  const { take, expect } = cursor;
  const parsed = parseKind();
  expect(';');
  if (cursor.peek() !== undefined) throw new Mismatch();
  return parsed;

  function parseKind(): DumpStatement {
    if (take('CREATE TABLE')) return createTable(cursor);
    if (take('CREATE INDEX') || take('CREATE UNIQUE INDEX')) return createIndex(cursor);
    if (take('CREATE SEQUENCE')) return createSequence(cursor);
    if (take('CREATE TYPE')) return createEnum(cursor, enums);
    if (take('CREATE SCHEMA')) {
      const object = cursor.identifier();
      if (!open || !mayBeCreated(object)) throw new Mismatch();
      schemas.add(object);
      return { kind: 'create-schema', object };
    }
    if (take('COPY')) return copy(cursor);
    if (take('ALTER TABLE')) return alterTable(cursor);
    if (take('ALTER SEQUENCE')) return ownedBy(cursor);
    if (take('SELECT pg_catalog . setval (')) return setval(cursor);
    if (take('COMMENT ON')) return comment(cursor);
    throw new Mismatch();
  }
}

function createEnum(cursor: Cursor, enums: Set<string>): DumpStatement {
  const object = cursor.qualified();
  cursor.expect('AS ENUM (');
  if (!cursor.take(')')) {
    do cursor.expectKind('string');
    while (cursor.take(','));
    cursor.expect(')');
  }
  enums.add(object);
  return { kind: 'create-type', object };
}

function createTable(cursor: Cursor): DumpStatement {
  const object = cursor.qualified();
  const columns: DumpColumn[] = [];
  cursor.expect('(');
  if (!cursor.take(')')) {
    do {
      if (cursor.take('CONSTRAINT')) tableConstraint(cursor);
      else columns.push(column(cursor));
    } while (cursor.take(','));
    cursor.expect(')');
  }
  storage(cursor);
  return { kind: 'create-table', object, columns };
}

function column(cursor: Cursor): DumpColumn {
  const { take } = cursor;
  const found = { name: cursor.identifier(), type: cursor.type() };
  if (take('COLLATE')) collation(cursor);
  for (;;) {
    if (take('DEFAULT')) constant(cursor);
    else if (take('CONSTRAINT')) {
      // PostgreSQL 18 names NOT NULL constraints
      cursor.identifier();
      cursor.expect('NOT NULL');
      take('NO INHERIT');
    } else if (!take('NOT NULL')) return found;
  }
}

function tableConstraint(cursor: Cursor): void {
  cursor.identifier();
  if (cursor.take('NOT NULL')) cursor.identifier();
  else {
    cursor.expect('CHECK');
    condition(cursor);
  }
  cursor.take('NO INHERIT');
}

function collation(cursor: Cursor): void {
  cursor.expect('pg_catalog .');
  cursor.identifier();
}

/** `WITH (fillfactor='70')` */
function storage(cursor: Cursor): void {
  if (!cursor.take('WITH')) return;
  cursor.list(() => {
    cursor.identifier();
    cursor.expect('=');
    if (cursor.takeKind('string') === null) cursor.expectKind('word');
  });
}

/** A default: a literal with its casts, the current time, or the next value of a sequence. */
function constant(cursor: Cursor): void {
  const { take } = cursor;
  let open = 0;
  while (take('(')) open++;
  if (take('nextval (')) {
    cursor.sequence();
    cursor.expect(':: regclass )');
  } else if (take('-')) cursor.expectKind('number');
  else if (!defaultKeywords.some(take) && cursor.takeKind('string') === null) cursor.expectKind('number');
  while (take('::')) cursor.type();
  for (; open > 0; open--) {
    cursor.expect(')');
    while (take('::')) cursor.type();
  }
}

const defaultKeywords = ['true', 'false', 'NULL', 'CURRENT_TIMESTAMP', 'CURRENT_DATE', 'now ( )'];

/**
 * A condition over plain columns, in parentheses: of a CHECK or a partial index. It calls no functions, and its
 * operators are built in, because the grammar has no CREATE OPERATOR.
 */
function condition(cursor: Cursor): void {
  cursor.expect('(');
  for (let depth = 1; depth > 0;) {
    const token = cursor.peek();
    if (token === undefined) throw new Mismatch();
    if (cursor.take('(') || cursor.take('[')) depth++;
    else if (cursor.take(')') || cursor.take(']')) depth--;
    else if (cursor.take('::')) cursor.type();
    else if (token.kind === 'word' && token.text !== token.text.toLowerCase()) {
      if (!conditionWords.has(token.text)) throw new Mismatch();
      cursor.expectKind('word');
    } else if (token.kind === 'word' || token.kind === 'quoted') {
      cursor.identifier();
      // a name before a parenthesis is a function call
      if (/^[(.]$/.test(cursor.peek()?.text ?? '')) throw new Mismatch();
    } else if (token.kind === 'mark') {
      if (!conditionMarks.has(token.text)) throw new Mismatch();
      cursor.expect(token.text);
    } else cursor.expectKind(token.kind);
  }
}

const conditionWords = new Set('AND OR NOT IS NULL TRUE FALSE ANY ALL ARRAY DISTINCT FROM'.split(' '));
const conditionMarks = new Set(['=', '<>', '<', '>', '<=', '>=', '+', '-', '*', '/', '||', '~~', '!~~', ',']);

function createIndex(cursor: Cursor): DumpStatement {
  const { take } = cursor;
  cursor.identifier();
  cursor.expect('ON');
  take('ONLY');
  const object = cursor.qualified();
  cursor.expect('USING');
  if (!/^(?:btree|hash|brin|gin|gist)$/.test(cursor.expectKind('word'))) throw new Mismatch();
  cursor.list(() => {
    cursor.identifier();
    if (take('COLLATE')) collation(cursor);
    for (const operators of operatorClasses) if (take(operators)) break;
    if (!take('DESC')) take('ASC');
    if (!take('NULLS FIRST')) take('NULLS LAST');
  });
  if (take('INCLUDE')) cursor.columns();
  take('NULLS NOT DISTINCT');
  storage(cursor);
  if (take('WHERE')) condition(cursor);
  return { kind: 'index', object };
}

const operatorClasses = ['text_pattern_ops', 'varchar_pattern_ops', 'bpchar_pattern_ops', 'jsonb_path_ops'];

function createSequence(cursor: Cursor): DumpStatement {
  const object = cursor.qualified();
  sequenceOptions(cursor);
  return { kind: 'create-sequence', object };
}

function sequenceOptions(cursor: Cursor): void {
  const { take } = cursor;
  for (;;) {
    if (take('AS')) cursor.type();
    else if (['START WITH', 'INCREMENT BY', 'MINVALUE', 'MAXVALUE', 'CACHE'].some(take)) cursor.integer();
    else if (!['NO MINVALUE', 'NO MAXVALUE', 'CYCLE'].some(take)) return;
  }
}

function ownedBy(cursor: Cursor): DumpStatement {
  cursor.qualified();
  cursor.expect('OWNED BY');
  cursor.qualified();
  cursor.expect('.');
  cursor.identifier();
  return { kind: 'other' };
}

function setval(cursor: Cursor): DumpStatement {
  cursor.sequence();
  cursor.expect(',');
  cursor.integer();
  cursor.expect(',');
  if (!cursor.take('true')) cursor.expect('false');
  cursor.expect(')');
  return { kind: 'other' };
}

function copy(cursor: Cursor): DumpStatement {
  const object = cursor.qualified();
  const columns: string[] = [];
  // a table without columns has no list
  if (cursor.take('(')) {
    if (!cursor.take(')')) {
      do columns.push(cursor.identifier());
      while (cursor.take(','));
      cursor.expect(')');
    }
  }
  cursor.expect('FROM stdin');
  return { kind: 'copy', object, columns };
}

function alterTable(cursor: Cursor): DumpStatement {
  const { take } = cursor;
  take('ONLY');
  const object = cursor.qualified();
  if (take('ADD CONSTRAINT')) {
    cursor.identifier();
    addConstraint(cursor);
    return { kind: 'constraint', object };
  }
  if (take('CLUSTER ON')) cursor.identifier();
  else if (take('REPLICA IDENTITY')) {
    if (take('USING INDEX')) cursor.identifier();
    else if (!take('FULL')) cursor.expect('NOTHING');
  } else {
    cursor.expect('ALTER COLUMN');
    cursor.identifier();
    if (take('SET DEFAULT')) constant(cursor);
    else if (take('SET STATISTICS')) cursor.integer();
    else if (take('SET STORAGE') || take('SET COMPRESSION')) cursor.expectKind('word');
    else if (!take('SET NOT NULL')) identity(cursor);
  }
  return { kind: 'other' };
}

function identity(cursor: Cursor): void {
  cursor.expect('ADD GENERATED');
  if (!cursor.take('ALWAYS')) cursor.expect('BY DEFAULT');
  cursor.expect('AS IDENTITY ( SEQUENCE NAME');
  cursor.qualified();
  sequenceOptions(cursor);
  cursor.expect(')');
}

function addConstraint(cursor: Cursor): void {
  const { take } = cursor;
  if (take('CHECK')) {
    condition(cursor);
    take('NO INHERIT');
  } else if (take('FOREIGN KEY')) {
    cursor.columns();
    cursor.expect('REFERENCES');
    cursor.qualified();
    cursor.columns();
    take('MATCH FULL');
    for (const event of ['ON UPDATE', 'ON DELETE']) if (take(event)) referentialAction(cursor);
  } else if (take('NOT NULL')) cursor.identifier();
  else {
    if (take('UNIQUE')) take('NULLS NOT DISTINCT');
    else cursor.expect('PRIMARY KEY');
    cursor.columns();
    if (take('INCLUDE')) cursor.columns();
    storage(cursor);
  }
  if (take('DEFERRABLE')) take('INITIALLY DEFERRED');
  take('NOT VALID');
}

function referentialAction(cursor: Cursor): void {
  if (['CASCADE', 'RESTRICT', 'NO ACTION'].some(cursor.take)) return;
  if (!cursor.take('SET NULL')) cursor.expect('SET DEFAULT');
  if (cursor.peek()?.text === '(') cursor.columns();
}

function comment(cursor: Cursor): DumpStatement {
  const { take } = cursor;
  if (take('SCHEMA')) cursor.schema();
  else if (take('CONSTRAINT')) {
    cursor.identifier();
    cursor.expect('ON');
    cursor.qualified();
  } else if (take('COLUMN')) {
    cursor.qualified();
    cursor.expect('.');
    cursor.identifier();
  } else {
    if (!['TABLE', 'INDEX', 'SEQUENCE', 'TYPE'].some(take)) throw new Mismatch();
    cursor.qualified();
  }
  cursor.expect('IS');
  if (!take('NULL')) cursor.expectKind('string');
  return { kind: 'other' };
}
