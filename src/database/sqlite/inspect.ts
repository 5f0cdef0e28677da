import { readAnswer, flag, text } from '../row-values.ts';
import { readColumns, textsByName } from '../catalog-rows.ts';
import type { Catalog, Index, Table } from '../../model/catalog.ts';
import {
  type DatabaseFacts,
  type Question,
  type Relation,
  generated,
  someDefault,
} from '../../model/database-facts.ts';
import type { Row } from '../../model/engine.ts';
import type SQLite from 'better-sqlite3';
import { isForeignLedger } from '../foreign-migration-tables.ts';
import { readAttachments } from './attachments.ts';
import { findBrokenTriggers } from './broken-triggers.ts';

const relationsQuery = `
  SELECT name, type FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name`;

// Virtual tables have no root page; they are left out, because their columns need a module that may be missing here. The
// parameter of each query is a JSON array of the tables that are known already.
const isAsked = `t.type = 'table' AND t.rootpage > 0 AND t.name NOT IN (SELECT value FROM json_each(?))`;

/**
 * One row for each table, in the format of `readColumns`. Stored generated columns count as virtual. `key` maps positions
 * in the primary key to column names.
 */
const columnsQuery = `
  SELECT t.name AS "table",
         json_group_array(json_array(c.name, c.type, json(iif(c."notnull" OR c.pk, 'true', 'false')),
           CASE WHEN c.hidden > 1 THEN '${generated.virtual}' WHEN c.dflt_value IS NOT NULL THEN '${someDefault}' END)) AS columns,
         json_group_object(c.name, c.dflt_value) FILTER (WHERE c.dflt_value IS NOT NULL) AS defaults,
         json_group_object(c.pk, c.name) FILTER (WHERE c.pk) AS key
  FROM sqlite_schema t JOIN pragma_table_xinfo(t.name) c
  WHERE ${isAsked} AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND c.hidden <> 1
  GROUP BY t.rowid`;

const foreignKeysQuery = `
  SELECT t.name AS "table", f.id, f."table" AS target, group_concat(f."from", ', ') AS columns,
         group_concat(coalesce(f."to", ''), ', ') AS targets, f.on_delete, f.on_update
  FROM sqlite_schema t JOIN pragma_foreign_key_list(t.name) f
  WHERE ${isAsked}
  GROUP BY t.name, f.id`;

// `?` stands for an expression, whose text is read from the index's own statement; an index with another collation
// (NOCASE) is a different index
const indexesQuery = `
  SELECT t.name AS "table", i.name, i."unique", i.origin, s.sql,
         (SELECT group_concat(coalesce(c.name, '?') || CASE c.coll WHEN 'BINARY' THEN '' ELSE ' COLLATE ' || c.coll END, ', ')
          FROM pragma_index_xinfo(i.name) c WHERE c."key") AS columns
  FROM sqlite_schema t JOIN pragma_index_list(t.name) i LEFT JOIN sqlite_schema s ON s.type = 'index' AND s.name = i.name
  WHERE ${isAsked}`;

/** Everything in a database file, in the order of its creation. */
export const definitionsQuery = `SELECT type, name, tbl_name AS "table", sql FROM sqlite_schema ORDER BY rowid`;

/** NULL counts as an empty text, and the type of the column may be any. */
const versionRowsQuery = `SELECT coalesce(CAST(version_num AS text), '') AS version_num FROM alembic_version ORDER BY 1`;

/** Reads all facts in one read transaction. */
export function inspect(database: SQLite.Database, question?: Question): DatabaseFacts {
  const read = database.transaction((): DatabaseFacts => {
    const all = (sql: string, ...values: string[]): Row[] => database.prepare<string[], Row>(sql).all(...values);
    const relations = all(relationsQuery).map(readRelation);
    // in SQLite, names in other case are the same name
    const versioned = relations.some(({ name }) => name.toLowerCase() === 'alembic_version');
    const versions = versioned ? all(versionRowsQuery) : null;
    const stored = all(definitionsQuery);
    const known = recognise(stored, question);
    const allKnown = relations.every(({ kind, name }) => kind === 'view' || Object.hasOwn(known, name));
    const names = JSON.stringify(Object.keys(known));
    const others = allKnown ? {} : readTables((sql) => all(sql, names), question?.expected.tables ?? {});
    const catalog = { tables: { ...known, ...others }, enums: {} };
    const definitions = stored.filter(({ type }) => type !== 'index');
    const broken = findBrokenTriggers(database, definitions);
    const attachments = definitions.flatMap((row) => readAttachments(row, broken));
    const runtime = { attachments, sequences: [], answers: [] };
    const asked = question?.aboutRows({ catalog, runtime }) ?? [];
    return {
      schema: 'main',
      elsewhere: [],
      forbidden: [],
      relations,
      catalog,
      revisions: versions?.map((row) => text(row, 'version_num')) ?? null,
      types: [],
      foreignLedgers: relations.map(({ name }) => name).filter(isForeignLedger),
      // SQLite has no list of sessions: a lock of another program is noticed when writing begins
      otherSessions: [],
      runtime: { ...runtime, answers: asked.flatMap((sql) => all(sql)).map(readAnswer) },
    };
  });
  return read();
}

function readRelation(row: Row): Relation {
  return { name: text(row, 'name'), kind: row['type'] === 'view' ? 'view' : 'table', estimatedRows: null };
}

interface OpenTable extends Table {
  readonly constraints: Record<string, string>;
  readonly indexes: Record<string, Index>;
}

/**
 * The statements of each table and of its indexes, as one text: everything that SQLite knows of a table's columns,
 * constraints and indexes.
 * @param stored the rows of sqlite_schema: `type`, `name`, `table`, `sql`
 */
export function statementsByTable(stored: readonly Row[]): Readonly<Record<string, string>> {
  const statements = new Map<string, string>();
  for (const { type, table, sql } of stored) {
    if ((type !== 'table' && type !== 'index') || typeof table !== 'string' || typeof sql !== 'string') continue;
    const before = statements.get(table);
    statements.set(table, before === undefined ? sql : `${before};\n${sql}`);
  }
  return Object.fromEntries(statements);
}

/** The tables that have the expected statements: nothing else need be read of them. */
function recognise(stored: readonly Row[], question: Question | undefined): Catalog['tables'] {
  if (question?.statements === undefined) return {};
  const { statements, expected } = question;
  return Object.fromEntries(
    Object.entries(statementsByTable(stored)).flatMap(([name, found]) => {
      const table = Object.hasOwn(statements, name) && statements[name] === found ? expected.tables[name] : undefined;
      return table === undefined ? [] : [[name, table]];
    }),
  );
}

/** Reads the tables whose statements are not the expected ones. @param all runs a query with the names of the others */
function readTables(all: (sql: string) => readonly Row[], expected: Catalog['tables']): Catalog['tables'] {
  const tables = new Map<string, OpenTable>();
  for (const row of all(columnsQuery)) {
    const name = text(row, 'table');
    const known = Object.hasOwn(expected, name) ? expected[name]?.columns : undefined;
    const defaults = textsByName(JSON.parse(text(row, 'defaults')));
    const table = {
      columns: readColumns(text(row, 'columns'), defaults, known, 'sqlite'),
      constraints: {},
      indexes: {},
    };
    tables.set(name, table);
    const key = Object.values(textsByName(JSON.parse(text(row, 'key'))));
    if (key.length > 0) addConstraint(table, `PRIMARY KEY (${key.join(', ')})`);
  }
  for (const row of all(foreignKeysQuery)) addConstraint(tables.get(text(row, 'table')), foreignKeyText(row));
  for (const row of all(indexesQuery)) addIndex(tables.get(text(row, 'table')), row);
  return Object.fromEntries(tables);
}

function addConstraint(table: OpenTable | undefined, definition: string): void {
  if (table !== undefined) table.constraints[definition] = definition;
}

/** Prints a foreign key as PostgreSQL does, without default actions. */
function foreignKeyText(row: Row): string {
  const action = (when: string, what: unknown): string => (what === 'NO ACTION' ? '' : ` ON ${when} ${String(what)}`);
  // a reference without columns means the primary key, which is `id` in every referenced table
  const targets = text(row, 'targets') === '' ? 'id' : text(row, 'targets');
  return (
    `FOREIGN KEY (${text(row, 'columns')}) REFERENCES ${text(row, 'target')}(${targets})` +
    action('UPDATE', row['on_update']) +
    action('DELETE', row['on_delete'])
  );
}

function addIndex(table: OpenTable | undefined, row: Row): void {
  if (table === undefined || row['origin'] === 'pk') return;
  const columns = text(row, 'columns');
  if (row['origin'] === 'u') return addConstraint(table, `UNIQUE (${columns})`);
  const sql = text(row, 'sql');
  const predicate = /\sWHERE\s+(.*)$/is.exec(sql)?.[1]?.trim();
  const keys = columns.includes('?') ? (/\((.*)\)/s.exec(sql)?.[1] ?? columns) : columns;
  const definition = `${flag(row, 'unique') ? 'UNIQUE ' : ''}btree (${keys})${predicate === undefined ? '' : ` WHERE ${bracketed(predicate)}`}`;
  table.indexes[text(row, 'name')] = { definition, valid: true };
}

/** Adds parentheses, as PostgreSQL prints predicates, so that both engines have the same text. */
function bracketed(predicate: string): string {
  return predicate.startsWith('(') && predicate.endsWith(')') ? predicate : `(${predicate})`;
}
