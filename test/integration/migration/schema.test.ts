import type { Row } from '../../../src/model/engine.ts';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { postgresSession } from '../../../src/database/postgres/session.ts';
import type { Session } from '../../../src/database/session.ts';
import { sqliteSession } from '../../../src/database/sqlite/session.ts';
import { openSchema } from '../../../src/migration/schema-builder/schema.ts';
import { StatementError } from '../../../src/migration/schema-builder/steps.ts';
import { atEnd } from '../../support/cleanup.ts';
import { connectClient, createDatabase, describeEngines, type TestDatabase } from '../../support/database.ts';
import { describePostgres } from '../../support/postgres-server.ts';

async function connect({ engine, url, name }: TestDatabase): Promise<Session> {
  if (engine === 'sqlite') {
    const database = new Database(name);
    database.pragma('foreign_keys = OFF');
    atEnd(async () => database.close());
    return sqliteSession(database);
  }
  const client = await connectClient(url);
  atEnd(() => client.end());
  return postgresSession(client);
}

/** Counts the round trips to the database. */
function counted(session: Session): { session: Session; calls: () => number } {
  let calls = 0;
  return {
    calls: () => calls,
    session: {
      engine: session.engine,
      run: (sql) => ((calls += 1), session.run(sql)),
      query: (sql, parameters) => ((calls += 1), session.query(sql, parameters)),
    },
  };
}

describeEngines('the schema that migrations work with', ({ name: engine, create }) => {
  const open = async () => openSchema(await connect(await create()));

  it('creates tables with their keys, and does not change an existing one', async () => {
    const schema = await open();
    const people = { id: 'SERIAL PRIMARY KEY', name: 'VARCHAR(20) NOT NULL', active: 'BOOLEAN NOT NULL DEFAULT TRUE' };
    expect(await schema.createTable('people', people)).toBe(true);
    expect(
      await schema.createTable(
        'notes',
        { id: 'SERIAL PRIMARY KEY', person_id: 'INTEGER REFERENCES people(id) ON DELETE CASCADE', code: 'VARCHAR(5)' },
        { uq_notes_code: 'UNIQUE (person_id, code)' },
      ),
    ).toBe(true);
    expect(await schema.createTable('people', { id: 'INTEGER' })).toBe(false);
    expect([schema.hasTable('people'), schema.hasTable('nobody'), schema.hasColumn('people', 'name')]).toEqual([
      true,
      false,
      true,
    ]);

    await schema.run("INSERT INTO people (name) VALUES ('Ada'); INSERT INTO notes (person_id, code) VALUES (1, 'a')");
    await expect(schema.run("INSERT INTO notes (person_id, code) VALUES (1, 'a')")).rejects.toThrow(/unique/i);
    expect(await schema.query('SELECT id, name, active FROM people WHERE id = $1', [1])).toEqual([
      { id: 1, name: 'Ada', active: engine === 'sqlite' ? 1 : true },
    ]);
  });

  it('adds only the missing columns, with all that they need', async () => {
    const schema = await open();
    await schema.createTable('projects', { id: 'SERIAL PRIMARY KEY', name: 'TEXT' });
    await schema.insertMissing('projects', [['name']], [{ name: 'one' }]);
    const added = await schema.addColumns('projects', {
      name: 'TEXT',
      created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
      code: 'VARCHAR(9) UNIQUE',
      parent_id: 'INTEGER REFERENCES projects(id) ON DELETE SET NULL',
      settings: "JSONB DEFAULT '{}'",
      rate: 'DOUBLE PRECISION',
    });
    expect(added).toEqual(['created_at', 'code', 'parent_id', 'settings', 'rate']);
    expect(await schema.addColumn('projects', 'code', 'TEXT')).toBe(false);
    expect(await schema.addColumn('missing', 'code', 'TEXT')).toBe(false);
    expect(await schema.query('SELECT id, name, created_at IS NULL AS undated, code, settings FROM projects')).toEqual([
      { id: 1, name: 'one', undated: engine === 'sqlite' ? 0 : false, code: null, settings: '{}' },
    ]);
  });

  it('renames a column only if the old name exists and the new one does not', async () => {
    const schema = await open();
    await schema.createTable('items', { old: 'TEXT', other: 'TEXT' });
    expect(await schema.renameColumn('items', 'old', 'other')).toBe(false);
    expect(await schema.renameColumn('items', 'gone', 'new')).toBe(false);
    expect(await schema.renameColumn('items', 'old', 'new')).toBe(true);
    expect([schema.hasColumn('items', 'old'), schema.hasColumn('items', 'new')]).toEqual([false, true]);
    expect(await schema.renameTable('items', 'things')).toBe(true);
    expect(await schema.renameTable('items', 'others')).toBe(false);
    expect(await schema.query('SELECT "new", other FROM things')).toEqual([]);
  });

  it('drops a column together with the indexes and constraints over it', async () => {
    const schema = await open();
    await schema.createTable('people', { id: 'SERIAL PRIMARY KEY' });
    await schema.createTable(
      'tasks',
      { id: 'SERIAL PRIMARY KEY', a: 'INTEGER', b: 'INTEGER REFERENCES people(id)', c: 'INTEGER' },
      { uq_tasks: 'UNIQUE (a, c)', ck_tasks: 'CHECK (a > 0)' },
    );
    await schema.addIndex('tasks', ['a', 'b'], { name: 'ix_tasks_a_b' });
    await schema.addIndex('tasks', ['c'], { name: 'ix_tasks_where_a', where: 'a IS NULL' });
    await schema.insertMissing('tasks', [['a']], [{ a: 1, b: null, c: 3 }]);
    expect(await schema.dropColumn('tasks', 'a')).toBe(true);
    expect(await schema.dropColumn('tasks', 'a')).toBe(false);
    expect(await schema.dropColumn('tasks', 'b')).toBe(true);
    expect(await schema.addIndex('tasks', ['c'], { name: 'ix_tasks_a_b' })).toBe(true);
    expect(await schema.addIndex('tasks', ['c'], { name: 'ix_tasks_where_a' })).toBe(true);
    expect(await schema.query('SELECT * FROM tasks')).toEqual([{ id: 1, c: 3 }]);
  });

  it('alters columns and keeps their values', async () => {
    const schema = await open();
    await schema.createTable('rates', {
      id: 'SERIAL PRIMARY KEY',
      amount: 'INTEGER NOT NULL',
      note: "TEXT DEFAULT 'x'",
    });
    await schema.insertMissing('rates', [['amount']], [{ amount: 5, note: "it's \\ \n $1" }]);
    await schema.setType('rates', 'amount', 'NUMERIC(10, 2)');
    await schema.dropNotNull('rates', 'amount');
    await schema.setDefault('rates', 'amount', '1 + 1');
    await schema.dropDefault('rates', 'note');
    await schema.setNotNull('rates', 'note');
    await schema.setNotNull('rates', 'missing');
    await schema.run("INSERT INTO rates (note) VALUES (''); INSERT INTO rates (amount, note) VALUES (NULL, '')");
    const [first, second, third] = await schema.query('SELECT amount, note FROM rates ORDER BY id');
    expect(first).toEqual({ amount: engine === 'sqlite' ? 5 : '5.00', note: "it's \\ \n $1" });
    expect([Number(second?.['amount']), third?.['amount']]).toEqual([2, null]);
    await expect(schema.run('INSERT INTO rates (amount) VALUES (1)')).rejects.toThrow(/null/i);
  });

  it('adds an index or a constraint once', async () => {
    const schema = await open();
    await schema.createTable('users', { id: 'SERIAL PRIMARY KEY' });
    await schema.createTable('entries', { id: 'SERIAL PRIMARY KEY', user_id: 'INTEGER', ended: 'TIMESTAMP' });
    const active = { name: 'ux_active', unique: true, where: 'ended IS NULL' };
    expect(await schema.addIndex('entries', ['user_id'], active)).toBe(true);
    expect(await schema.addIndex('entries', ['user_id'], active)).toBe(false);
    expect(await schema.addIndex('entries', ['missing'], { name: 'ix_missing' })).toBe(false);
    const key = 'FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE';
    expect(await schema.addConstraint('entries', 'fk_entries_user', key)).toBe(true);
    expect(await schema.addConstraint('entries', 'fk_entries_user', key)).toBe(false);
    expect(await schema.addConstraint('missing', 'fk_entries_user', key)).toBe(false);
    await schema.run('INSERT INTO users (id) VALUES (1); INSERT INTO entries (user_id) VALUES (1)');
    await expect(schema.run('INSERT INTO entries (user_id) VALUES (1)')).rejects.toThrow(/unique/i);
    await schema.dropIndex('ux_active');
    await schema.dropIndex('ux_active');
    await schema.run('INSERT INTO entries (user_id) VALUES (1)');
  });

  it('drops the foreign keys of a column with any names', async () => {
    const schema = await open();
    await schema.createTable('users', { id: 'SERIAL PRIMARY KEY' });
    await schema.createTable('entries', {
      id: 'SERIAL PRIMARY KEY',
      made_by: 'INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE',
      read_by: 'INTEGER REFERENCES users(id)',
    });
    await schema.addConstraint('entries', 'fk_made', 'FOREIGN KEY (made_by) REFERENCES users(id)');
    await schema.dropForeignKeys('entries', 'made_by');
    await schema.dropForeignKeys('entries', 'missing');
    const left =
      engine === 'sqlite'
        ? `SELECT "from" AS name FROM pragma_foreign_key_list('entries')`
        : "SELECT conname::text AS name FROM pg_constraint WHERE conrelid = 'entries'::regclass AND contype = 'f'";
    expect(await schema.query(left)).toEqual([{ name: engine === 'sqlite' ? 'read_by' : 'entries_read_by_fkey' }]);
  });

  it('distinguishes earlier objects from those of its own statements', async () => {
    const database = await create();
    const first = await openSchema(await connect(database));
    await first.run('CREATE TABLE "Sp ace""é" ("Col ""umn" INTEGER); CREATE INDEX "Ix" ON "Sp ace""é" ("Col ""umn")');
    expect(first.hasColumn('Sp ace"é', 'Col "umn')).toBe(true);
    const second = await openSchema(await connect(database));
    expect(second.hasColumn('Sp ace"é', 'Col "umn')).toBe(true);
    expect(await second.addIndex('Sp ace"é', ['Col "umn'], { name: 'Ix' })).toBe(false);
    await first.run('DROP TABLE "Sp ace""é"');
    expect(first.hasTable('Sp ace"é')).toBe(false);
  });

  it('names the statement that failed', async () => {
    const schema = await open();
    await schema.createTable('rows', { id: 'SERIAL PRIMARY KEY', name: 'TEXT' });
    await schema.insertMissing('rows', [['name']], [{ name: '😀 first' }, { name: null }]);
    const attempt = async () => {
      await schema.addColumn('rows', 'b', 'INTEGER');
      await schema.setNotNull('rows', 'name');
      await schema.addColumn('rows', 'c', 'INTEGER');
      await schema.flush();
    };
    const error: unknown = await attempt().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StatementError);
    expect(error).toHaveProperty('statement', expect.stringMatching(engine === 'sqlite' ? /^INSERT/ : /SET NOT NULL$/));
    expect(error).toHaveProperty('cause.code');
  });
});

describeEngines('a session', ({ name: engine, create }) => {
  it('binds parameters and returns values in the same form', async () => {
    const session = await connect(await create());
    await session.run('CREATE TABLE v (i INTEGER, b BOOLEAN, t TEXT, n TEXT)');
    const insert = 'INSERT INTO v (i, b, t, n) VALUES ($1, $2, $3, $4)';
    expect(await session.query(insert, [7, true, "o'k $1", null])).toEqual([]);
    const rows: Row[] = await session.query('SELECT i, b, t, n FROM v WHERE i = $1 AND t = $2', [7, "o'k $1"]);
    expect(rows).toEqual([{ i: 7, b: engine === 'sqlite' ? 1 : true, t: "o'k $1", n: null }]);
  });
});

describePostgres('steps on PostgreSQL', () => {
  it('are sent together, in one round trip', async () => {
    const { session, calls } = counted(await connect(await createDatabase()));
    const schema = await openSchema(session);
    const before = calls();
    await schema.createTable('a', { id: 'SERIAL PRIMARY KEY' });
    await schema.addColumn('a', 'b', 'INTEGER');
    await schema.addIndex('a', ['b'], { name: 'ix_a_b' });
    expect(calls()).toBe(before);
    await schema.flush();
    await schema.flush();
    expect(calls()).toBe(before + 1);
  });

  it('name the position of a mistake in characters', async () => {
    const schema = await openSchema(await connect(await createDatabase()));
    await schema.createTable('a', { id: "TEXT DEFAULT '😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀'" });
    await schema.addColumn('a', 'b', 'NO_SUCH_TYPE');
    await schema.addIndex('a', ['id'], { name: 'ix_a_id' });
    await expect(schema.flush()).rejects.toHaveProperty('statement', 'ALTER TABLE "a" ADD COLUMN "b" NO_SUCH_TYPE');
  });

  it('drop and check constraints that the server has named', async () => {
    const schema = await openSchema(await connect(await createDatabase()));
    await schema.createTable('u', { id: 'SERIAL PRIMARY KEY', code: 'TEXT UNIQUE' });
    await schema.createTable('e', { u_id: 'INTEGER REFERENCES u(id)' });
    expect(await schema.addConstraint('e', 'e_u_id_fkey', 'FOREIGN KEY (u_id) REFERENCES u(id)')).toBe(false);
    expect(await schema.addConstraint('u', 'u_code_key', 'UNIQUE (code)')).toBe(false);
    await schema.dropConstraint('e', 'e_u_id_fkey');
    await schema.dropConstraint('e', 'no_such_constraint');
    expect(await schema.addConstraint('e', 'e_u_id_fkey', 'FOREIGN KEY (u_id) REFERENCES u(id)')).toBe(true);
    await schema.flush();
  });

  it('create an enumeration once', async () => {
    const schema = await openSchema(await connect(await createDatabase()));
    await schema.createEnum('mood', ['good', "so'so"]);
    await schema.createEnum('mood', ['other']);
    await schema.createTable('m', { mood: "mood DEFAULT 'good'" });
    await schema.flush();
    expect(await schema.query('SELECT unnest(enum_range(NULL::mood))::text AS mood')).toEqual([
      { mood: 'good' },
      { mood: "so'so" },
    ]);
  });

  it('return dates, exact numbers and JSON as the text of the server', async () => {
    const session = await connect(await createDatabase());
    const [row] = await session.query(
      `SELECT timestamp '2024-02-03 04:05:06.123456' AS at, date '2024-02-03' AS day, 1.50::numeric(9,2) AS amount,
        9007199254740993::int8 AS big, '{"a": 1}'::json AS doc, 1.5::float8 AS ratio`,
    );
    expect(row).toEqual({
      at: '2024-02-03 04:05:06.123456',
      day: '2024-02-03',
      amount: '1.50',
      big: '9007199254740993',
      doc: '{"a": 1}',
      ratio: 1.5,
    });
  });
});
