/**
 * Writes the statements of the tables in a new SQLite database (src/schema/statements.sqlite.json). `npm run
 * release:write` runs this script after the catalogs were written, from which the statements follow.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { definitionsQuery, statementsByTable } from '../src/database/sqlite/inspect.ts';
import { createHead } from '../src/migration/migrator.ts';
import { releaseGraph } from '../src/migration/revisions.ts';
import { withDatabase } from './with-database.ts';

const folder = mkdtempSync(join(tmpdir(), 'db-init-statements-'));
const { signal } = new AbortController();
const options = { applicationName: 'db-init statements', signal };
const statements = await withDatabase(`sqlite:///${join(folder, 'new.db')}`, options, (database) =>
  database.transaction(async (transaction) => {
    await createHead(transaction, releaseGraph, { versioned: false, signal, onApplied: () => undefined });
    return statementsByTable(await transaction.query(definitionsQuery));
  }),
);
writeFileSync('src/schema/statements.sqlite.json', `${JSON.stringify(statements)}\n`);
rmSync(folder, { recursive: true });
