import type { DatabaseFacts, Question } from '../../../src/model/database-facts.ts';
import type { Engine } from '../../../src/model/engine.ts';
import type { Catalog } from '../../../src/model/catalog.ts';
import type { Difference } from '../../../src/model/difference.ts';
import Database from 'better-sqlite3';
import { readFacts } from '../../../src/database/postgres/inspect.ts';
import { postgresSession } from '../../../src/database/postgres/session.ts';
import type { Session } from '../../../src/database/session.ts';
import { inspect } from '../../../src/database/sqlite/inspect.ts';
import { sqliteSession } from '../../../src/database/sqlite/session.ts';
import { createHead } from '../../../src/migration/migrator.ts';
import { releaseGraph } from '../../../src/migration/revisions.ts';
import { assessRepair, repairDifferences } from '../../../src/repair/repair.ts';
import type { RepairPlan } from '../../../src/repair/repair-step.ts';
import { findFaults } from '../../../src/schema/faults.ts';
import { createRowQuestion } from '../../../src/schema/row-questions.ts';
import { loadExpectedSchema } from '../../../src/schema/expected-schema.ts';
import { atEnd } from '../../support/cleanup.ts';
import { connectClient, createDatabase } from '../../support/database.ts';

/** A database at the head with a few rows, in a transaction that is never committed. */
export interface Head {
  readonly engine: Engine;
  readonly session: Session;
  catalog(): Promise<Catalog>;
  differences(): Promise<readonly Difference[]>;
  assess(): Promise<RepairPlan>;
  mend(): Promise<readonly Difference[]>;
  /** Runs an action and rolls it back. */
  aside(act: () => Promise<void>): Promise<void>;
}

const rows = `
  INSERT INTO clients (name) VALUES ('One'), ('Two');
  INSERT INTO currencies (code, name) VALUES ('EUR', 'Euro'), ('USD', 'Dollar');
  INSERT INTO exchange_rates (base_code, quote_code, rate, date) VALUES ('EUR', 'USD', 1.1, '2026-01-01');
  INSERT INTO badges (name, badge_type, criteria, created_at, updated_at) VALUES
    ('A', 't', '{}', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP), ('B', 't', '{}', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP)`;

/** Opens such a database. It is closed after the file's tests. */
export async function openHead(engine: Engine): Promise<Head> {
  const { session, observe } = engine === 'postgresql' ? await openPostgres() : openSqlite();
  await session.run('BEGIN');
  const { signal } = new AbortController();
  await createHead(session, releaseGraph, { versioned: false, signal, onApplied: () => undefined });
  const expected = await loadExpectedSchema(engine);
  const look = async () => {
    const facts = await observe(createRowQuestion(expected, engine));
    return {
      differences: findFaults(expected, facts, engine),
      context: { ...expected, facts, engine },
    };
  };
  const head: Head = {
    engine,
    session,
    catalog: async () => (await observe()).catalog,
    differences: async () => (await look()).differences,
    async assess() {
      const { differences, context } = await look();
      return assessRepair(session, differences, context);
    },
    async mend() {
      const { differences, context } = await look();
      return repairDifferences(session, differences, context);
    },
    async aside(act) {
      await session.run('SAVEPOINT aside');
      try {
        await act();
      } finally {
        await session.run('ROLLBACK TO aside');
      }
    },
  };
  await session.run(rows);
  return head;
}

interface Opened {
  readonly session: Session;
  readonly observe: (question?: Question) => Promise<DatabaseFacts>;
}

async function openPostgres(): Promise<Opened> {
  const client = await connectClient((await createDatabase()).url);
  atEnd(() => client.end());
  await client.query('SET search_path TO public; SET client_min_messages TO error');
  return { session: postgresSession(client), observe: (question) => readFacts(client, { question }) };
}

function openSqlite(): Opened {
  const database = new Database(':memory:');
  database.pragma('foreign_keys = OFF');
  return { session: sqliteSession(database), observe: async (question) => inspect(database, question) };
}
