import type { Engine } from '../src/model/engine.ts';
import type { Catalog, Table } from '../src/model/catalog.ts';
/**
 * Writes the expected schema: the catalogs of the last revision (src/schema/head.*.json), the changes of each one
 * (src/schema/history.*.json), and the rows of an empty database (src/schema/seed.json). The migrations run one by one
 * on an empty database of each engine; their result is the expected schema. `npm run release:write` runs this script;
 * tests compare the files with each other and with the application's history.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Session } from '../src/database/session.ts';
import { runTime, type SeedRows, type SeedValue } from '../src/migration/baseline.ts';
import { createGraph } from '../src/migration/graph.ts';
import { storedTable } from '../src/migration/schema-builder/sqlite-rebuild.ts';
import { namedConstraints } from '../src/migration/schema-builder/table-text.ts';
import { migrate } from '../src/migration/migrator.ts';
import { releaseGraph } from '../src/migration/revisions.ts';
import { versionTable } from '../src/schema/catalog.ts';
import { type CatalogChange, changeBetween, emptyCatalog, type History } from '../src/schema/history.ts';
import { startCluster } from '../test/support/local-cluster.ts';
import { installations } from '../test/support/postgres-installations.ts';
import { changesOf, type RevisionFacts } from './release/facts.ts';
import { openProject } from './release/import/project.ts';
import { withDatabase } from './with-database.ts';

const [installation] = await installations(['initdb', 'postgres']);
if (installation === undefined) throw new Error('PostgreSQL is not installed on this machine');
const server = await startCluster(dirname(installation.bin));
const folder = mkdtempSync(join(tmpdir(), 'db-init-catalogs-'));
for (const url of [server.url, `sqlite:///${join(folder, 'catalog.db')}`]) {
  const { engine, catalog, history, seed, facts } = await runChain(url);
  writeFileSync(`src/schema/head.${engine}.json`, `${JSON.stringify(catalog)}\n`);
  writeFileSync(`src/schema/history.${engine}.json`, `${JSON.stringify(history)}\n`);
  addFacts(engine === 'postgresql' ? 'postgres' : 'sqlite', facts);
  // the rows are the same on both engines; PostgreSQL's types distinguish booleans from numbers
  if (engine === 'postgresql') writeFileSync('src/schema/seed.json', `${JSON.stringify(seed)}\n`);
}
rmSync(folder, { recursive: true });
await server.stop();

interface Chain {
  readonly engine: Engine;
  readonly catalog: Catalog;
  readonly history: History;
  readonly seed: SeedRows;
  /** The changes of each revision, in the format of the facts. */
  readonly facts: readonly RevisionFacts[];
}

/**
 * Adds an entry to the facts of the tests for each revision that was written by hand and not imported: what the
 * migration makes of an empty database, without rows. Existing entries come from the application and stay.
 */
function addFacts(engine: 'postgres' | 'sqlite', facts: readonly RevisionFacts[]): void {
  const project = openProject('.');
  const known = project.readFacts(engine);
  const missing = facts.filter(({ revision }) => !known.some((entry) => entry.revision === revision));
  if (missing.length > 0) project.writeFacts(engine, [...known, ...missing]);
}

async function runChain(url: string): Promise<Chain> {
  const { signal } = new AbortController();
  return withDatabase(url, { applicationName: 'db-init catalogs', signal }, (database) =>
    database.withLock(() =>
      database.transaction(async (transaction) => {
        const history: Record<string, CatalogChange> = {};
        const facts: RevisionFacts[] = [];
        let before = emptyCatalog;
        for (const [index, { id, parents }] of releaseGraph.revisions.entries()) {
          const graph = createGraph(releaseGraph.revisions.slice(0, index + 1));
          await migrate(transaction, graph, { versioned: index > 0, signal, onApplied: () => undefined });
          const after = withoutVersions((await transaction.observe()).catalog);
          history[id] = changeBetween(before, after);
          facts.push({ revision: id, downRevisions: parents, changes: changesOf(before, after, database.engine) });
          before = after;
        }
        const { engine } = database;
        const observed = (await transaction.observe()).catalog;
        const catalog = engine === 'sqlite' ? await withNames(transaction, observed) : observed;
        return { engine, catalog, history, seed: await readSeed(transaction, catalog), facts };
      }),
    ),
  );
}

/**
 * SQLite stores the names of constraints only in the statements of the tables. @throws Error if one is not found there
 */
async function withNames(session: Session, { tables, enums }: Catalog): Promise<Catalog> {
  const named: Record<string, Table> = {};
  for (const [table, parts] of Object.entries(tables)) {
    const names = namedConstraints((await storedTable(session, table)).definition);
    // the catalog of SQLite holds no CHECK
    const known = [...names.keys()].filter((rule) => !rule.startsWith('CHECK'));
    const lost = known.filter((rule) => !Object.hasOwn(parts.constraints, rule));
    if (lost.length > 0) throw new Error(`${table}: no such constraint as ${lost.join(', ')}`);
    const constraints = Object.values(parts.constraints).map((rule) => [names.get(rule) ?? rule, rule] as const);
    named[table] = { ...parts, constraints: Object.fromEntries(constraints) };
  }
  return { tables: named, enums };
}

function withoutVersions({ tables, enums }: Catalog): Catalog {
  return { tables: Object.fromEntries(Object.entries(tables).filter(([name]) => name !== versionTable)), enums };
}

async function readSeed(session: Session, catalog: Catalog): Promise<SeedRows> {
  const seed: Record<string, Record<string, SeedValue>[]> = {};
  for (const [table, { columns, constraints }] of Object.entries(catalog.tables)) {
    if (table === versionTable) continue;
    const key = /^PRIMARY KEY \((.*)\)$/.exec(
      Object.values(constraints).find((rule) => rule.startsWith('PRIMARY')) ?? '',
    )?.[1];
    const rows = await session.query(`SELECT * FROM ${table} ORDER BY ${key ?? 1}`);
    if (rows.length > 0) {
      seed[table] = rows.map((row) =>
        Object.fromEntries(
          Object.entries(row).map(([column, value]) => [column, seedValue(value, columns[column]?.type ?? '')]),
        ),
      );
    }
  }
  return seed;
}

/** The only times in the rows of an empty database are those of the run. */
function seedValue(value: unknown, type: string): SeedValue {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return value;
  if (type.startsWith('timestamp')) return runTime;
  if (typeof value !== 'string') throw new TypeError(`a seed value is ${typeof value}`);
  return value;
}
