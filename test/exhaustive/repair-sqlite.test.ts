import type { Catalog } from '../../src/model/catalog.ts';
import Database from 'better-sqlite3';
import { beforeAll, describe, expect, it } from 'vitest';
import { inspect } from '../../src/database/sqlite/inspect.ts';
import { sqliteSession } from '../../src/database/sqlite/session.ts';
import type { Session } from '../../src/database/session.ts';
import { createHead } from '../../src/migration/migrator.ts';
import { releaseGraph } from '../../src/migration/revisions.ts';
import { openSchema } from '../../src/migration/schema-builder/schema.ts';
import { parseRule } from '../../src/repair/constraint-rules.ts';
import { loadHead } from '../../src/schema/expected-schema.ts';
import { quoteName } from '../../src/platform/sql-quoting.ts';
import { parseTable, renderTable } from '../../src/migration/schema-builder/table-text.ts';
import { type Loss, loseAndMend, promisedTables, type Subject } from './losses.ts';

const tables = await promisedTables('sqlite');

describe('a SQLite database at the head that lost one object', () => {
  let subject: Subject;

  beforeAll(async () => {
    const database = new Database(':memory:');
    database.pragma('foreign_keys = OFF');
    const session = sqliteSession(database);
    const { signal } = new AbortController();
    await createHead(session, releaseGraph, { versioned: false, signal, onApplied: () => undefined });
    const head = await loadHead('sqlite');
    subject = { session, observe: async () => inspect(database), lose: (loss) => lose(session, loss, head) };
  });

  it.each(tables)('of %s is repaired, or refused because of its rows', async (table) => {
    expect((await loseAndMend(table, subject)).mended).toBeGreaterThan(0);
  });
});

async function lose(session: Session, loss: Loss, head: Catalog): Promise<void> {
  switch (loss.kind) {
    case 'table':
      return session.run(`DROP TABLE ${quoteName(loss.table)}`);
    case 'column': {
      // a key of several columns goes with each of them
      const keys = Object.values(head.tables[loss.table]?.constraints ?? {});
      const key = keys.find((rule) => rule.startsWith('PRIMARY KEY') && rule.includes(','));
      if (key !== undefined && parseRule(key).columns.includes(loss.name))
        await loseConstraint(session, loss.table, key);
      await (await openSchema(session)).dropColumn(loss.table, loss.name);
      return;
    }
    case 'constraint':
      return loseConstraint(session, loss.table, head.tables[loss.table]?.constraints[loss.name] ?? '');
    case 'index':
      return session.run(`DROP INDEX ${quoteName(loss.name)}`);
    case 'sequence':
      throw new Error('SQLite numbers rows by itself');
  }
}

/** Creates the table again without the constraint. */
async function loseConstraint(session: Session, table: string, definition: string): Promise<void> {
  const objects = await session.query(
    `SELECT type, sql FROM sqlite_schema WHERE tbl_name = $1 AND sql IS NOT NULL ORDER BY type DESC`,
    [table],
  );
  const [own, ...indexes] = objects.map((row) => String(row['sql']));
  const { items, options } = parseTable(own ?? '');
  const kept = items.filter(({ text }) => text.trim().replace(/^CONSTRAINT "\w+" /, '') !== definition);
  expect(kept.length, `${table}: ${definition}`).toBe(items.length - 1);
  await session.run(renderTable('lost', { items: kept, options }));
  await session.run(`INSERT INTO lost SELECT * FROM ${quoteName(table)}`);
  await session.run(`DROP TABLE ${quoteName(table)}; ALTER TABLE lost RENAME TO ${quoteName(table)}`);
  for (const index of indexes) await session.run(index);
}
