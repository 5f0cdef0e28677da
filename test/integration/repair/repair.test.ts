import type { Engine } from '../../../src/model/engine.ts';
import type { Obstacle, Unsafe } from '../../../src/model/repair.ts';
import { beforeAll, describe, expect, it } from 'vitest';
import { type OpenSchema, openSchema } from '../../../src/migration/schema-builder/schema.ts';
import { Unrepairable } from '../../../src/repair/repair.ts';
import { sqlFor } from '../../../src/report/schema-differences.ts';
import { findExtras } from '../../../src/schema/comparison.ts';
import { loadHead } from '../../../src/schema/expected-schema.ts';
import { describePostgres } from '../../support/postgres-server.ts';
import { type Head, openHead } from './heads.ts';

/** A damage: statements, or steps of the schema builder. */
type Damage = string | ((schema: OpenSchema) => Promise<unknown>);

async function inflict({ session }: Head, damage: readonly Damage[]): Promise<void> {
  for (const each of damage) {
    const schema = await openSchema(session);
    await (typeof each === 'string' ? schema.run(each) : each(schema));
    await schema.flush();
  }
}

type Losses = Readonly<Record<string, readonly Damage[]>>;

/** Each is repaired so that the catalog is the same as before. */
function itMends(open: () => Head, losses: Losses): void {
  it.each(Object.entries(losses))('repairs %s', async (_, damage) => {
    const head = open();
    await head.aside(async () => {
      const whole = await head.catalog();
      await inflict(head, damage);
      const differences = await head.differences();
      expect(differences).not.toEqual([]);
      expect(new Set(await head.mend())).toEqual(new Set(differences));
      expect(await head.catalog()).toEqual(whole);
    });
  });
}

interface Refused {
  readonly damage: readonly Damage[];
  readonly obstacle: Partial<Obstacle>;
  /** The corrections of a person before the advised statements and after them. Then the rest is repaired. */
  readonly before?: string;
  readonly after?: string;
}

/** Damages that are refused without a change; the advice in the banner corrects them. */
function itRefuses(open: () => Head, cases: Readonly<Record<string, Refused>>): void {
  it.each(Object.entries(cases))('refuses %s', async (_, { damage, obstacle, before = '', after = '' }) => {
    const head = open();
    await head.aside(async () => {
      await inflict(head, damage);
      const damaged = await head.catalog();
      await expect(head.mend()).rejects.toThrow(Unrepairable);
      expect(await head.catalog()).toEqual(damaged);

      const { unsafe } = await head.assess();
      expect(unsafe.map((each) => each.obstacle)).toContainEqual(expect.objectContaining(obstacle));
      for (const found of unsafe.map((each) => each.obstacle).filter((each) => each.kind === 'rows')) {
        expect(await head.session.query(found.find)).toHaveLength(found.rows);
      }

      await head.session.run(before);
      await head.session.run(advice(unsafe));
      await head.session.run(after);
      await head.mend();
      expect(await head.differences()).toEqual([]);
    });
  });
}

const advice = (unsafe: readonly Unsafe[]): string => unsafe.flatMap((each) => sqlFor(each, commands)).join('\n');
const commands = { statement: (sql: string): string => (sql.startsWith('--') ? sql : `${sql};`) };

const lossesOnBoth: Losses = {
  'a table that nothing refers to': ['DROP TABLE exchange_rates'],
  'a column that may be NULL': [(schema) => schema.dropColumn('clients', 'phone')],
  'a column with a default, and its index': [(schema) => schema.dropColumn('clients', 'status')],
  'a column without a default where there are no rows, and the rules over it': [
    'DELETE FROM exchange_rates',
    (schema) => schema.dropColumn('exchange_rates', 'base_code'),
  ],
  'a NOT NULL': [(schema) => schema.dropNotNull('clients', 'name')],
  'the freedom to be NULL': ["UPDATE clients SET phone = '1'", (schema) => schema.setNotNull('clients', 'phone')],
  'an index': ['DROP INDEX ix_exchange_rates_base_code'],
  'a foreign key': [(schema) => schema.dropForeignKeys('exchange_rates', 'base_code')],
};

const refusedOnBoth: Readonly<Record<string, Refused>> = {
  'to make up values for a column': {
    damage: [(schema) => schema.dropColumn('badges', 'badge_type')],
    obstacle: { kind: 'rows', fault: 'no-value', rows: 2 },
    after: "UPDATE badges SET badge_type = 't'",
  },
  'a NOT NULL where a value is missing': {
    damage: [(schema) => schema.dropNotNull('clients', 'name'), "UPDATE clients SET name = NULL WHERE name = 'One'"],
    obstacle: { kind: 'rows', fault: 'null', rows: 1 },
    before: "UPDATE clients SET name = 'One' WHERE name IS NULL",
  },
  'a foreign key that rows break': {
    damage: [
      (schema) => schema.dropForeignKeys('exchange_rates', 'base_code'),
      "UPDATE exchange_rates SET base_code = 'XXX'",
    ],
    obstacle: { kind: 'rows', fault: 'orphan', rows: 1 },
    before: "UPDATE exchange_rates SET base_code = 'USD'",
  },
};

/** Makes a table again, with or without numbered rows. */
const withKeyOf = (type: string): readonly string[] => [
  'DROP TABLE push_subscriptions',
  `CREATE TABLE push_subscriptions (id ${type} NOT NULL PRIMARY KEY)`,
];

describe('repair on SQLite', () => {
  const open = openFor('sqlite');
  itMends(open, lossesOnBoth);
  itRefuses(open, {
    ...refusedOnBoth,
    'to replace a table to which rows refer': {
      damage: ['DROP TABLE currencies'],
      obstacle: { kind: 'rows', fault: 'orphan', rows: 1 },
      before: 'DELETE FROM exchange_rates',
    },
    'another type': {
      damage: [(schema) => schema.setType('clients', 'phone', 'INTEGER')],
      obstacle: { kind: 'type' },
    },
    'a key by which no rows are numbered': {
      damage: withKeyOf('BIGINT'),
      obstacle: { kind: 'key-type' },
      after: withKeyOf('INTEGER').join(';'),
    },
    'a table whose name a view bears': {
      damage: ['DROP TABLE exchange_rates', 'CREATE VIEW exchange_rates AS SELECT 1 AS one'],
      obstacle: { kind: 'name-taken', by: 'view' },
      before: 'DROP VIEW exchange_rates',
    },
  });
  itLeavesTheOwnersThingsAlone(open);
});

describePostgres('repair on PostgreSQL', () => {
  const open = openFor('postgresql');
  itMends(open, lossesOnBoth);
  itMends(open, {
    'the default that numbers rows': ['ALTER TABLE clients ALTER COLUMN id DROP DEFAULT'],
    'the sequence that numbers rows': ['DROP SEQUENCE clients_id_seq CASCADE'],
    'a sequence that belongs to nobody any more': [
      'ALTER SEQUENCE clients_id_seq OWNED BY NONE; ALTER TABLE clients ALTER COLUMN id DROP DEFAULT',
    ],
    'types that hold less than promised': [
      `ALTER TABLE clients ALTER COLUMN name TYPE varchar(20);
       ALTER TABLE exchange_rates ALTER COLUMN rate TYPE numeric(16,8);
       ALTER TABLE push_subscriptions ALTER COLUMN user_id TYPE smallint`,
    ],
    'a type with its columns': ['DROP TYPE timesheetperiodstatus CASCADE'],
    'a table whose name others use in other schemas': [
      'DROP TABLE badges CASCADE; CREATE SCHEMA other; CREATE TABLE other.badges AS SELECT 1 AS id, 2 AS colour',
      'CREATE SCHEMA second; CREATE TABLE second.alembic_version AS SELECT 1; CREATE TABLE second.badges AS SELECT * FROM clients',
    ],
    'a primary key and what refers to it': ['ALTER TABLE currencies DROP CONSTRAINT currencies_pkey CASCADE'],
    'a unique rule': ['ALTER TABLE badges DROP CONSTRAINT badges_name_key'],
    'a unique rule for some rows': ['DROP INDEX ux_time_entries_one_active_per_user'],
    'a check': ['ALTER TABLE time_entries DROP CONSTRAINT chk_time_entries_project_or_client'],
    'a foreign key that was never proven': [
      `ALTER TABLE exchange_rates DROP CONSTRAINT exchange_rates_base_code_fkey;
       ALTER TABLE exchange_rates ADD CONSTRAINT exchange_rates_base_code_fkey
         FOREIGN KEY (base_code) REFERENCES currencies(code) NOT VALID`,
    ],
    'an index that a cut-off creation left invalid, under another name': [
      `ALTER INDEX ix_exchange_rates_base_code RENAME TO ix_base_code_ccnew;
       UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_base_code_ccnew'::regclass`,
    ],
    'many things at once': [
      'DROP TABLE exchange_rates; DROP TABLE currencies; DROP TYPE approvalstatus CASCADE; DROP TABLE mileage CASCADE',
      'ALTER TABLE clients DROP CONSTRAINT clients_pkey CASCADE; ALTER TABLE clients DROP COLUMN phone',
    ],
  });
  itRefuses(open, {
    ...refusedOnBoth,
    'to replace a table to which rows refer': {
      damage: ['DROP TABLE currencies CASCADE'],
      obstacle: { kind: 'rows', fault: 'orphan', rows: 1 },
      before: 'DELETE FROM exchange_rates',
    },
    'a unique rule that values break': {
      damage: ['ALTER TABLE badges DROP CONSTRAINT badges_name_key', "UPDATE badges SET name = 'A'"],
      obstacle: { kind: 'rows', fault: 'duplicate', rows: 1 },
      before: 'UPDATE badges SET name = name || id',
    },
    'a check that rows break': {
      damage: [
        'ALTER TABLE time_entries DROP CONSTRAINT chk_time_entries_project_or_client',
        `SET LOCAL session_replication_role TO replica;
         INSERT INTO time_entries (user_id, start_time, source) VALUES (1, now(), 'manual');
         SET LOCAL session_replication_role TO origin`,
      ],
      obstacle: { kind: 'rows', fault: 'violation', rows: 1 },
      before: 'DELETE FROM time_entries',
    },
    'a primary key beside another': {
      damage: ['ALTER TABLE badges DROP CONSTRAINT badges_pkey CASCADE, ADD PRIMARY KEY (name)'],
      obstacle: { kind: 'other-key', key: 'PRIMARY KEY (name)' },
    },
    'to free a column that is part of a key': {
      damage: [
        'UPDATE clients SET phone = id::text',
        'ALTER TABLE clients DROP CONSTRAINT clients_pkey CASCADE, ADD PRIMARY KEY (phone)',
      ],
      obstacle: { kind: 'part-of-key' },
    },
    'another type, and an index that waits for it': {
      damage: [
        'DROP INDEX ix_exchange_rates_base_code; ALTER TABLE exchange_rates DROP CONSTRAINT exchange_rates_base_code_fkey',
        'ALTER TABLE exchange_rates ALTER COLUMN base_code TYPE bytea USING base_code::bytea',
      ],
      obstacle: { kind: 'waits-for', name: 'exchange_rates.base_code' },
      before: `ALTER TABLE exchange_rates ALTER COLUMN base_code TYPE text USING 'EUR'`,
    },
    'types of an import, whose defaults and values the server does not convert by itself': {
      damage: [
        `ALTER TABLE clients ALTER COLUMN prepaid_reset_day DROP DEFAULT, ALTER COLUMN prepaid_reset_day TYPE text USING '7',
           ALTER COLUMN prepaid_reset_day SET DEFAULT '1'`,
        `ALTER TABLE currencies ALTER COLUMN is_active DROP DEFAULT, ALTER COLUMN is_active TYPE smallint USING 1,
           ALTER COLUMN is_active SET DEFAULT 1`,
        'ALTER TABLE exchange_rates ALTER COLUMN rate TYPE real',
        `CREATE SCHEMA other; CREATE TYPE other.timeoffrequeststatus AS ENUM ('draft')`,
        `ALTER TABLE time_off_requests ALTER COLUMN status DROP DEFAULT,
           ALTER COLUMN status TYPE other.timeoffrequeststatus USING status::text::other.timeoffrequeststatus`,
        `ALTER TABLE timesheet_periods ALTER COLUMN status DROP DEFAULT, ALTER COLUMN status TYPE text,
           ALTER COLUMN status SET DEFAULT 'draft'; DROP TYPE timesheetperiodstatus`,
      ],
      obstacle: { kind: 'type' },
    },
    'to make a table that another schema has, with its rows': {
      damage: ['CREATE SCHEMA other; ALTER TABLE currencies SET SCHEMA other'],
      obstacle: { kind: 'in-other-schema', schemas: ['other'] },
    },
    'a table whose name a view bears': {
      damage: ['DROP TABLE exchange_rates', 'CREATE VIEW exchange_rates AS SELECT 1 AS one'],
      obstacle: { kind: 'name-taken', by: 'view' },
    },
  });
  itLeavesTheOwnersThingsAlone(open);

  it('continues after the highest number', async () => {
    const head = open();
    await head.aside(async () => {
      await inflict(head, ['DROP SEQUENCE clients_id_seq CASCADE', 'UPDATE clients SET id = 41 WHERE id = 2']);
      await head.mend();
      const rows = await head.session.query(`INSERT INTO clients (name) VALUES ('Three') RETURNING id`);
      expect(rows).toEqual([{ id: 42 }]);
    });
  });

  it('adds the missing values of a type in their places', async () => {
    const head = open();
    await head.aside(async () => {
      await inflict(head, [
        `ALTER TYPE approvalstatus RENAME VALUE 'rejected' TO 'refused';
         ALTER TYPE clientapprovalstatus RENAME VALUE 'pending' TO 'waiting'`,
      ]);
      await head.mend();
      expect((await head.catalog()).enums).toMatchObject({
        approvalstatus: ['pending', 'approved', 'rejected', 'refused', 'cancelled'],
        clientapprovalstatus: ['pending', 'waiting', 'approved', 'rejected', 'cancelled'],
      });
    });
  });

  it('reports a refusal of the database', async () => {
    const head = open();
    await head.aside(async () => {
      // ignore composite types, because every table has one with its name
      await inflict(head, ['DROP TABLE exchange_rates', 'CREATE TYPE exchange_rates AS (one integer)']);
      await expect(head.mend()).rejects.toMatchObject({
        unsafe: [{ obstacle: { kind: 'rejected', reason: expect.stringContaining('exchange_rates') } }],
      });
    });
  });
});

function openFor(engine: Engine): () => Head {
  let head: Head;
  beforeAll(async () => {
    head = await openHead(engine);
  });
  return () => head;
}

function itLeavesTheOwnersThingsAlone(open: () => Head): void {
  it("leaves the owner's tables, columns and indexes alone, with any names, and reports them", async () => {
    const head = open();
    await head.aside(async () => {
      await inflict(head, [
        'CREATE TABLE notes (id integer); ALTER TABLE clients ADD COLUMN mood integer',
        `DROP INDEX ix_exchange_rates_base_code; CREATE INDEX ix_exchange_rates_base_code ON clients (mood)`,
      ]);
      const { tables } = await head.catalog();
      const extras = { tables: ['notes'], columns: ['clients.mood'], indexes: ['clients.ix_exchange_rates_base_code'] };
      expect(findExtras(await loadHead(head.engine), await head.catalog())).toEqual(extras);

      await head.mend();
      const mended = (await head.catalog()).tables;
      expect(mended).toMatchObject({ notes: tables['notes'], clients: tables['clients'] });
      expect(Object.keys(mended['exchange_rates']?.indexes ?? {})).toContain('ix_exchange_rates_base_code_1');
      expect(await head.differences()).toEqual([]);
    });
  });
}
