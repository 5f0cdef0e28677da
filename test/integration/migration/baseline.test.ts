import { expect, it } from 'vitest';
import { readConfig } from '../../../src/config/config.ts';
import type { Engine } from '../../../src/database/session.ts';
import { openDatabase } from '../../../src/database/open.ts';
import { createHead, migrate } from '../../../src/migration/migrator.ts';
import { releaseGraph } from '../../../src/migration/revisions.ts';
import type { Catalog } from '../../../src/schema/catalog.ts';
import { loadHead } from '../../../src/schema/promise.ts';
import { describeEngines } from '../../support/database.ts';
import { snapshot } from '../../support/snapshot.ts';

/** Makes the head in an empty database, and tells what came out of it. */
async function make(url: string, how: typeof migrate): Promise<{ catalog: Catalog; rows: string }> {
  const { signal } = new AbortController();
  const ignore = (): void => undefined;
  const config = readConfig({ DATABASE_URL: url }, '/');
  const callbacks = { onWaiting: ignore, onLockWaiting: ignore, onRetry: ignore, onWarning: ignore };
  const options = { ...config, ...callbacks, applicationName: 'db-init test', writes: true, signal };
  const database = await openDatabase(config.database, options);
  try {
    const catalog = await database.transaction(async (transaction) => {
      await how(transaction, releaseGraph, { versioned: false, signal, onApplied: ignore });
      return (await transaction.observe()).catalog;
    });
    return { catalog, rows: comparable(await snapshot(url), database.engine) };
  } finally {
    await database.close();
  }
}

/** What two runs have in common: not the time, nor the order in which rows lie, nor how a sequence spells its next value. */
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
  it('makes what the chain of revisions makes', async () => {
    const [chain, baseline] = [await create(), await create()];
    const expected = await make(chain.url, migrate);
    const found = await make(baseline.url, createHead);
    expect(found.catalog).toEqual(expected.catalog);
    expect(found.rows).toEqual(expected.rows);
  });

  it('is what the head promises', async () => {
    const { url, engine } = await create();
    expect((await make(url, migrate)).catalog).toEqual(await loadHead(engine));
  });
});
