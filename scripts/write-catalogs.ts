/**
 * Writes what the last revision promises: the catalogs (src/schema/head.*.json) and the rows of an empty database
 * (src/schema/seed.json). The migrations run on an empty database of each engine, and what they made is what is
 * promised. To be run after a revision was added; tests hold both against each other and against history.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Config, readConfig } from '../src/config/config.ts';
import { openDatabase } from '../src/database/open.ts';
import type { Engine, Session } from '../src/database/session.ts';
import { runTime, type SeedRows, type SeedValue } from '../src/migration/baseline.ts';
import { migrate } from '../src/migration/migrator.ts';
import { releaseGraph } from '../src/migration/revisions.ts';
import { type Catalog, versionTable } from '../src/schema/catalog.ts';

const { TEST_DATABASE_URL: postgres } = process.env;
if (postgres === undefined) throw new Error('TEST_DATABASE_URL must name an empty PostgreSQL database');

const folder = mkdtempSync(join(tmpdir(), 'db-init-catalogs-'));
for (const url of [postgres, `sqlite:///${join(folder, 'catalog.db')}`]) {
  const { engine, catalog, seed } = await runChain(readConfig({ DATABASE_URL: url }, folder));
  writeFileSync(`src/schema/head.${engine}.json`, `${JSON.stringify(catalog)}\n`);
  // the rows are the same on both engines, and PostgreSQL's types tell booleans from numbers
  if (engine === 'postgresql') writeFileSync('src/schema/seed.json', `${JSON.stringify(seed)}\n`);
}
rmSync(folder, { recursive: true });

async function runChain(config: Config): Promise<{ engine: Engine; catalog: Catalog; seed: SeedRows }> {
  const { signal } = new AbortController();
  const ignore = (): void => undefined;
  const database = await openDatabase(config.database, {
    ...config,
    applicationName: 'db-init catalogs',
    writes: true,
    signal,
    onWaiting: ignore,
    onLockWaiting: ignore,
    onRetry: ignore,
    onWarning: ignore,
  });
  try {
    return await database.withLock(() =>
      database.transaction(async (transaction) => {
        await migrate(transaction, releaseGraph, { versioned: false, signal, onApplied: ignore });
        const { catalog } = await transaction.observe();
        return { engine: database.engine, catalog, seed: await readSeed(transaction, catalog) };
      }),
    );
  } finally {
    await database.close();
  }
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

/** Rows of an empty database hold no other times than that of the run. */
function seedValue(value: unknown, type: string): SeedValue {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return value;
  if (type.startsWith('timestamp')) return runTime;
  if (typeof value !== 'string') throw new TypeError(`a seed value is ${typeof value}`);
  return value;
}
