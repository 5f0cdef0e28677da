/**
 * Writes the catalogs that the last revision promises (src/schema/head.*.json): the migrations run on an empty
 * database of each engine, and what they made is what is promised. To be run after a revision was added.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Config, readConfig } from '../src/config/config.ts';
import { openDatabase } from '../src/database/open.ts';
import { migrate } from '../src/migration/migrator.ts';
import { releaseGraph } from '../src/migration/revisions.ts';
import type { Catalog } from '../src/schema/catalog.ts';

const { TEST_DATABASE_URL: postgres } = process.env;
if (postgres === undefined) throw new Error('TEST_DATABASE_URL must name an empty PostgreSQL database');

const folder = mkdtempSync(join(tmpdir(), 'db-init-catalogs-'));
for (const url of [postgres, `sqlite:///${join(folder, 'catalog.db')}`]) {
  const catalog = await catalogAtHead(readConfig({ DATABASE_URL: url }, folder));
  const engine = url.startsWith('sqlite') ? 'sqlite' : 'postgresql';
  writeFileSync(`src/schema/head.${engine}.json`, `${JSON.stringify(catalog)}\n`);
}
rmSync(folder, { recursive: true });

async function catalogAtHead(config: Config): Promise<Catalog> {
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
        return (await transaction.observe()).catalog;
      }),
    );
  } finally {
    await database.close();
  }
}
