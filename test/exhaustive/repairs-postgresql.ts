import { beforeAll, expect, it } from 'vitest';
import { readFacts } from '../../src/database/postgres/inspect.ts';
import { postgresSession } from '../../src/database/postgres/session.ts';
import { quoteName } from '../../src/platform/sql-quoting.ts';
import { atEnd } from '../support/cleanup.ts';
import { connectClient } from '../support/database.ts';
import { release } from '../support/fixtures.ts';
import { applyPending } from '../support/open-database.ts';
import { describePostgres } from '../support/postgres-server.ts';
import { restoredDatabase } from '../support/templates.ts';
import { type Loss, loseAndMend, promisedTables, type Subject } from './losses.ts';

/**
 * Tests the repair of every loss of every second table on PostgreSQL. The tables are divided between two files, so that
 * two workers share what takes the longest of all exhaustive tests.
 * @param half of the tables
 */
export async function describeRepairs(half: 0 | 1): Promise<void> {
  const tables = (await promisedTables('postgresql')).filter((_, index) => index % 2 === half);

  describePostgres('a filled database at the head that lost one object', () => {
    let subject: Subject;

    beforeAll(async () => {
      const { url } = await restoredDatabase(release('pg', 'v5.10.0', 'before.sql.gz'));
      await applyPending(url);
      const client = await connectClient(url);
      atEnd(() => client.end());
      await client.query('SET search_path TO public; SET client_min_messages TO error');
      const session = postgresSession(client);
      subject = { session, observe: () => readFacts(client), lose: (loss) => session.run(statementFor(loss)) };
    });

    it.each(tables)('of %s is repaired, or refused because of its rows', async (table) => {
      // dead catalog rows of rolled-back work slow down the following tests, so vacuum
      await subject.session.run(
        'VACUUM pg_attribute, pg_attrdef, pg_class, pg_constraint, pg_depend, pg_index, pg_type',
      );
      await subject.session.run('BEGIN');
      try {
        expect((await loseAndMend(table, subject)).mended).toBeGreaterThan(0);
      } finally {
        await subject.session.run('ROLLBACK');
      }
    });
  });
}

function statementFor(loss: Loss): string {
  const table = quoteName(loss.table);
  switch (loss.kind) {
    case 'table':
      return `DROP TABLE ${table} CASCADE`;
    case 'column':
      return `ALTER TABLE ${table} DROP COLUMN ${quoteName(loss.name)} CASCADE`;
    case 'constraint':
      return `ALTER TABLE ${table} DROP CONSTRAINT ${quoteName(loss.name)} CASCADE`;
    case 'index':
      return `DROP INDEX ${quoteName(loss.name)}`;
    case 'sequence':
      return `ALTER TABLE ${table} ALTER COLUMN ${quoteName(loss.name)} DROP DEFAULT`;
  }
}
