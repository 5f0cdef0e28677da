import type { Engine } from '../../../src/model/engine.ts';
import type { Catalog } from '../../../src/model/catalog.ts';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { readConfig } from '../../../src/config/config.ts';
import type { Transaction } from '../../../src/database/database.ts';
import { openDatabase } from '../../../src/database/open.ts';
import { inspect } from '../../../src/database/sqlite/inspect.ts';
import { createHead, migrate } from '../../../src/migration/migrator.ts';
import { releaseGraph } from '../../../src/migration/revisions.ts';
import { loadExpectedSchema, loadHead } from '../../../src/schema/expected-schema.ts';
import { createSqliteDatabase, describeEngines } from '../../support/database.ts';
import { snapshot } from '../../support/snapshot.ts';

interface Made {
  readonly catalog: Catalog;
  readonly rows: string;
  /** The names of constraints, as `table: name`. */
  readonly names: readonly string[];
  /** The tables whose statements are not the expected ones; empty on PostgreSQL. */
  readonly unrecognised: readonly string[];
}

/** Makes the head in an empty database, and returns the result. */
async function make(url: string, how: typeof migrate): Promise<Made> {
  const { signal } = new AbortController();
  const ignore = (): void => undefined;
  const config = readConfig({ DATABASE_URL: url }, '/');
  const callbacks = { onWaiting: ignore, onLockWaiting: ignore, onRetry: ignore, onWarning: ignore };
  const options = { ...config, ...callbacks, applicationName: 'db-init test', writes: true, signal };
  const database = await openDatabase(config.database, options);
  try {
    const { read: catalog, unrecognised } = await database.transaction(async (transaction) => {
      await how(transaction, releaseGraph, { versioned: false, signal, onApplied: ignore });
      const { catalog: read } = await transaction.observe();
      const ways = await readingOf(transaction, database.engine);
      expect(ways.slow).toEqual([]);
      return { read, unrecognised: ways.unrecognised };
    });
    const names = database.engine === 'sqlite' ? namesInFile(database.name) : namesIn(catalog);
    return { catalog, unrecognised, rows: comparable(await snapshot(url), database.engine), names };
  } finally {
    await database.close();
  }
}

/**
 * The tables that each run reads in a slow way.
 * @returns `slow`: their columns are read one by one; `unrecognised`: SQLite's statements are not the expected ones
 */
async function readingOf(transaction: Transaction, engine: Engine) {
  const { head, statements } = await loadExpectedSchema(engine);
  const { tables } = (await transaction.observe({ expected: head, aboutRows: () => [] })).catalog;
  const known = (await transaction.observe({ expected: head, statements, aboutRows: () => [] })).catalog.tables;
  const names = Object.keys(head.tables);
  return {
    slow: names.filter((name) => tables[name]?.columns !== head.tables[name]?.columns),
    unrecognised: engine === 'sqlite' ? names.filter((name) => known[name] !== head.tables[name]) : [],
  };
}

function namesIn({ tables }: Catalog): readonly string[] {
  const names = Object.entries(tables).flatMap(([table, { constraints }]) =>
    Object.entries(constraints).flatMap(([name, rule]) => (name === rule ? [] : [`${table}: ${name}`])),
  );
  return names.toSorted();
}

/** SQLite stores them only in the statements. */
function namesInFile(file: string): readonly string[] {
  const database = new Database(file, { readonly: true });
  try {
    const tables = database.prepare<[], { name: string; sql: string }>(
      "SELECT * FROM sqlite_schema WHERE type = 'table'",
    );
    return tables
      .all()
      .flatMap(({ name, sql }) => [...sql.matchAll(/CONSTRAINT "?(\w+)/g)].map((match) => `${name}: ${match[1]}`))
      .toSorted();
  } finally {
    database.close();
  }
}

/** SQLite's catalog has no names of constraints: definitions and names are compared separately. */
function nameless({ tables, enums }: Catalog): Catalog {
  const strip = ({ constraints, ...rest }: Catalog['tables'][string]) => ({
    ...rest,
    constraints: Object.fromEntries(Object.values(constraints).map((rule) => [rule, rule])),
  });
  return { tables: Object.fromEntries(Object.entries(tables).map(([name, table]) => [name, strip(table)])), enums };
}

/** The parts that two runs have in common: without times, the order of rows and the form of the next value of a sequence. */
function comparable(text: string, engine: Engine): string {
  // SQLite keeps the texts of the statements, and those differ; where there is no pg_dump, positions of columns and names of NOT NULL do
  const rows = text.replaceAll(engine === 'sqlite' ? /^\{.*\}$/gm : /^\["(?:column|constraint)",.*\]$/gm, '');
  return rows
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?/g, '<time>')
    .replaceAll(
      /(setval\('[^']+', )(\d+), t(?:rue)?\)/g,
      (_, head: string, last: string) => `${head}${Number(last) + 1}, false)`,
    )
    .replaceAll(/(setval\('[^']+', \d+), f\)/g, '$1, false)')
    .split('\n')
    .toSorted()
    .join('\n');
}

describeEngines('the baseline of an empty database', ({ create }) => {
  it('makes the same as the chain of revisions', async () => {
    const [chain, baseline] = [await create(), await create()];
    const expected = await make(chain.url, migrate);
    const found = await make(baseline.url, createHead);
    expect(found.catalog).toEqual(expected.catalog);
    expect(found.rows).toEqual(expected.rows);
    expect(found.names).toEqual(expected.names);
    expect(found.names).toContain('projects: uq_projects_code');
    expect(found.unrecognised).toEqual([]);
  });

  it('is the expected schema of the head', async () => {
    const { url, engine } = await create();
    const [made, head] = [await make(url, migrate), await loadHead(engine)];
    expect(made.catalog).toEqual(engine === 'sqlite' ? nameless(head) : head);
    expect(made.names).toEqual(namesIn(head));
  });
});

it('reads of a SQLite file what it would read without recognising tables by their statements', async () => {
  const { url, name: file } = await createSqliteDatabase();
  await make(url, createHead);
  const database = new Database(file);
  try {
    database.exec(`
      ALTER TABLE users ADD COLUMN own TEXT;
      CREATE UNIQUE INDEX own_index ON projects (name) WHERE name <> '';
      DROP INDEX ix_users_email;
      CREATE TABLE own (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id));
      CREATE VIEW own_view AS SELECT id FROM own;
      CREATE TRIGGER own_trigger AFTER INSERT ON clients BEGIN DELETE FROM own; END;
      ANALYZE`);
    const { head: expected, statements } = await loadExpectedSchema('sqlite');
    const question = { expected, aboutRows: () => [] };
    const [read, found] = [inspect(database, question), inspect(database, { ...question, statements })];
    expect({ ...found, catalog: nameless(found.catalog) }).toEqual({ ...read, catalog: nameless(read.catalog) });
    const tables = Object.keys(expected.tables);
    expect(tables.filter((name) => found.catalog.tables[name] !== expected.tables[name])).toEqual([
      'projects',
      'users',
    ]);
  } finally {
    database.close();
  }
});
