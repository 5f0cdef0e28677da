import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { runInProcess } from '../../support/run-in-process.ts';
import { cases } from '../../support/conversions.ts';
import { execute, admin, createDatabase, withClient } from '../../support/database.ts';
import { release, sqliteFile } from '../../support/fixtures.ts';
import { describePostgres } from '../../support/postgres-server.ts';
import { ask, relatedDatabases, currentArchive, install, uploadsIn, uploadsOf } from './restores.ts';
import { inEveryRun, restoreAndCompare } from './sqlite-rows.ts';

const intoClients = 'INSERT INTO clients (id, name, status, created_at, updated_at) VALUES';
const intoProjects = 'INSERT INTO projects (id, name, client_id, billable, status, created_at, updated_at) VALUES';

/** Rows that SQLite accepts, and other objects in a file. */
const misfits = `
  PRAGMA foreign_keys = OFF;
  DROP INDEX idx_clients_name;
  CREATE TABLE of_mine (big INTEGER, odd);
  INSERT INTO of_mine VALUES (9223372036854775807, 'text');
  CREATE TABLE "odd ""name" (k TEXT PRIMARY KEY, v TEXT, n) WITHOUT ROWID;
  INSERT INTO "odd ""name" VALUES ('a', 'first', 1), ('b', CAST(x'41ff' AS TEXT), 9007199254740993), ('c', char(65533), 2);
  ${intoClients} (1, 'one', 'active', '2024-01-01', '2024-01-01'), (2, 'twin', 'active', '2024-01-01', '2024-01-01'),
            (3, 'twin', 'active', '2024-01-01', '2024-01-01'), (4, CAST(x'410042' AS TEXT), 'active', '2024-01-01', '2024-01-01'),
            (5, '${'long'.repeat(60)}', CAST('active' AS BLOB), '2024-01-01', '2024-02-30'), (6, CAST(x'41ff' AS TEXT), 'active', '2024-01-01', '2024-01-01');
  UPDATE clients SET custom_fields = 9007199254740993 WHERE id = 1;
  ${intoProjects} (1, 'stays', 1, 'true', 'active', '2024-01-01', '2024-01-01'), (2, 'follows', 3, 1, 'active', '2024-01-01', '2024-01-01'),
             (3, 'orphan', 999, 0, 'active', '2024-01-01', '2024-01-01');
  INSERT INTO roles (id, name, is_system_role, created_at, updated_at)
    VALUES (2147483647, 'last', 0, '2024-01-01', '2024-01-01'), (9223372036854775807, 'far', 0, '2024-01-01', '2024-01-01');
`;

const expected = [
  /odd "name\.v: 1 row has a text that is no UTF-8 key (?:row 1|b): \\x41ff/,
  /clients\.name: 1 row repeats a value that only one row may have \(.*UNIQUE.*\) key 3: twin/,
  /roles\.id: 2 rows have a number that is too large \(integer below 2147483647\) key 2147483647: 2147483647 key 9223372036854775807: 9223372036854775807/,
  /clients\.name: 1 row has a text with a NUL in it key 4: \\x410042/,
  /clients\.name: 1 row has a text that is too long \(character varying\(200\)\) key 5: longlong/,
  /clients\.updated_at: 1 row has no date and time key 5: 2024-02-30/,
  /clients\.name: 1 row has a text that is no UTF-8 key 6: \\x41ff/,
  /projects\.client_id: 1 row refers to a row that does not fit \(FOREIGN KEY .*\) key 2: 3/,
  /projects\.client_id: 1 row refers to a row that is not there \(FOREIGN KEY .*\) key 3: 999/,
];

describePostgres(
  'the rows of a SQLite database in PostgreSQL',
  () => {
    it('are written in the form of PostgreSQL', async () => {
      const { database } = await install('postgresql');
      await withClient(database.url, async (client) => {
        await client.query('SET IntervalStyle TO postgres; SET bytea_output TO hex; SET extra_float_digits TO 1');
        for (const [type, values] of Object.entries(cases)) {
          for (const text of values
            .map(([, becomes]) => becomes.replace(/ #\S+$/, ''))
            .filter((each) => !each.startsWith('!'))) {
            const { rows } = await client.query<{ text: string }>(`SELECT $1::text::${type}::text AS text`, [text]);
            expect([type, rows[0]?.text]).toEqual([
              type,
              type === 'boolean' ? (text === 't' ? 'true' : 'false') : text,
            ]);
          }
        }
      });
    });

    for (const tag of inEveryRun) {
      it(`are restored from the bare file of ${tag}, cell by cell`, async () => {
        const { database, must } = await install('postgresql');
        expect(await restoreAndCompare(tag, { database, must })).toEqual([]);
        // new ids come after the highest one
        await execute(database, "INSERT INTO clients (name, created_at, updated_at) VALUES ('next', now(), now())");
        expect((await must()).stdout).toContain('healthy and current');
      });
    }

    it('stop the restore if PostgreSQL does not accept them, or are set aside with rows that depend on them', async () => {
      const small = await install('sqlite');
      await small.must();
      const file = small.database.name;
      await execute(small.database, misfits);
      const writer = new Database(file);
      // committed changes that are not written back are in the log
      writer.pragma('journal_mode = WAL');
      writer.exec(
        "INSERT INTO clients (id, name, email, created_at, updated_at, status) VALUES (50, '', 'x' || char(10), '2024-01-01T10:00:00Z', '2024-01-01', 'active')",
      );
      const bare = join(small.root, 'bare.db');
      for (const suffix of ['', '-wal']) await copyFile(file + suffix, bare + suffix);
      writer.close();

      const { database, run: on } = await install('postgresql');
      const stopped = await on('restore', bare, '--yes');
      expect(stopped.exitCode, stopped.all).toBe(31);
      const text = stopped.stderr.replaceAll(/\s+/g, ' ');
      for (const line of expected) expect(text).toMatch(line);
      expect(text).not.toContain('secret-of-2');
      expect(await relatedDatabases(database)).toEqual([database.name]);
      expect(
        await ask(database, "SELECT count(*)::int FROM pg_namespace WHERE nspname LIKE 'tt!_%' ESCAPE '!'"),
      ).toEqual([0]);

      const tried = await on('restore', bare, '--set-aside', '--dry-run');
      expect(tried.exitCode, tried.all).toBe(0);
      const done = await on('restore', bare, '--set-aside', '--yes');
      expect(done.exitCode, done.all).toBe(0);
      expect(done.stdout).toMatch(/tables .*of_mine/);
      expect((await on()).stdout).toContain('healthy and current');
      const [schema] = await ask(
        database,
        "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'tt!_quarantine!_%' ESCAPE '!'",
      );
      expect(await ask(database, "SELECT string_agg(id::text, ',' ORDER BY id) FROM clients")).toEqual(['1,2,50']);
      expect(await ask(database, `SELECT string_agg(id, ',' ORDER BY id::int) FROM ${String(schema)}.clients`)).toEqual(
        ['3,4,5,6'],
      );
      expect(await ask(database, `SELECT name FROM ${String(schema)}.clients WHERE id = '4'`)).toEqual([
        String.raw`\x410042`,
      ]);
      expect(
        await ask(database, `SELECT string_agg(id, ',' ORDER BY id::int) FROM ${String(schema)}.projects`),
      ).toEqual(['2,3']);
      expect(
        await ask(
          database,
          "SELECT concat(name = '', '|', email = E'x\n', '|', created_at) FROM clients WHERE id = 50",
        ),
      ).toEqual(['t|t|2024-01-01 10:00:00']);
      expect(await ask(database, 'SELECT big::text FROM of_mine')).toEqual(['9223372036854775807']);
      expect(await ask(database, 'SELECT custom_fields::text FROM clients WHERE id = 1')).toEqual(['9007199254740993']);
      expect(await ask(database, `SELECT k || v || n FROM "odd ""name" ORDER BY k`)).toEqual(['afirst1', 'c\uFFFD2']);
      expect(await ask(database, `SELECT k || v || n FROM ${String(schema)}."odd ""name"`)).toEqual([
        String.raw`b\x41ff9007199254740993`,
      ]);
      expect(
        await ask(
          database,
          "INSERT INTO clients (name, status, created_at, updated_at) VALUES ('n', 'active', now(), now()) RETURNING id",
        ),
      ).toEqual([51]);

      const name = String(schema);
      expect(await ask(database, `SELECT name FROM ${name}.roles ORDER BY id`)).toEqual(['last', 'far']);
      expect(await ask(database, `SELECT status FROM ${name}.clients WHERE id = '5'`)).toEqual(['active']);
      const again = await on('quarantine', 'restore', name);
      expect(again.exitCode, again.all).toBe(31);
      expect(again.stdout).toContain('clients: 0 rows brought back, 4 left');
      // db-init does not guess texts that PostgreSQL would accept as some time or number
      await execute(
        database,
        `UPDATE ${name}.clients SET name = 'client ' || id, default_hourly_rate = CASE id WHEN '6' THEN 'NaN' END,
           updated_at = CASE id WHEN '3' THEN 'now' WHEN '4' THEN '01/02/2024' WHEN '5' THEN 'infinity' ELSE '2024-01-01' END`,
      );
      const guessed = await on('quarantine', 'restore', name);
      expect(guessed.exitCode, guessed.all).toBe(31);
      expect(guessed.stdout).toContain('clients: 0 rows brought back, 4 left');
      await execute(
        database,
        `UPDATE ${name}.clients SET updated_at = created_at, default_hourly_rate = '12.5', custom_fields = '{"a":1}', status = 'active';
         UPDATE ${name}.projects SET client_id = '1' WHERE id = '3';
         UPDATE ${name}.roles SET id = '10' || length(name);
         UPDATE ${name}."odd ""name" SET v = 'mended'; ALTER TABLE ${name}.projects ADD COLUMN former text DEFAULT 'kept'`,
      );
      // a value that no column would take is not dropped with its row
      const unplaced = await on('quarantine', 'restore', name);
      expect(unplaced.exitCode, unplaced.all).toBe(31);
      expect(unplaced.stderr).toContain('the table projects has no column former');
      await execute(database, `ALTER TABLE ${name}.projects DROP COLUMN former`);
      const mended = await on('quarantine', 'restore', name);
      expect(mended.exitCode, mended.all).toBe(0);
      expect(await ask(database, 'SELECT count(*)::int FROM clients WHERE id BETWEEN 3 AND 6')).toEqual([4]);
      expect(await ask(database, 'SELECT client_id FROM projects WHERE id IN (2, 3) ORDER BY id')).toEqual([3, 1]);
      expect((await on('quarantine', 'list')).stdout).not.toContain(name);
      await on('restore', '--drop-former', '--yes');
    });

    it('are refused before they are loaded if PostgreSQL cannot hold the names of tables and columns', async () => {
      const file = await sqliteFile(release('sqlite', 'v5.10.0', 'before.db.gz'));
      const long = 'ä'.repeat(32);
      const sqlite = new Database(file);
      sqlite.exec(`CREATE TABLE "${long}" (a, "${long}", ctid, xmin2); CREATE TABLE users_id_seq (a);
        ALTER TABLE clients ADD COLUMN tt_reason TEXT; CREATE TABLE timeoffrequeststatus (a); CREATE TABLE "${'x'.repeat(63)}" (a)`);
      sqlite.close();
      const { database, run: on } = await install('postgresql');
      const refused = await on('restore', file, '--yes');
      expect(refused.exitCode, refused.all).toBe(32);
      const text = refused.stderr.replaceAll(/\s+/g, ' ');
      for (const name of [
        `table ${long}`,
        `column ${long}.${long}`,
        `column ${long}.ctid`,
        'table users_id_seq',
        'column clients.tt_reason',
        'table timeoffrequeststatus',
      ]) {
        expect(text).toContain(name);
      }
      expect(text).not.toMatch(/xmin2|xxx/);
      expect(await relatedDatabases(database)).toEqual([database.name]);
    });

    it('are listed or set aside if they break a constraint that a migration of the copy adds', async () => {
      const file = await sqliteFile(release('sqlite', 'v1.5.1', 'before.db.gz'));
      const old = new Database(file);
      const count = Number(old.prepare('SELECT count(*) FROM projects').pluck().get());
      // a constraint that needs a rebuild of the table, and one that is an index
      old.exec(`ALTER TABLE projects ADD COLUMN code VARCHAR(20); UPDATE projects SET code = 'twin';
                ALTER TABLE users ADD COLUMN slack_user_id VARCHAR(64);
                INSERT INTO users (username, role, created_at, is_active, slack_user_id)
                VALUES ('one', 'user', '2024-01-01', 1, 'U1'), ('two', 'user', '2024-01-01', 1, 'U1')`);
      old.close();
      const { database, env } = await install('postgresql');
      const on = (...args: readonly string[]) => runInProcess(args, { TT_COMMAND_PREFIX: 'db-init', ...env });
      const stopped = await on('restore', file, '--yes');
      expect(stopped.exitCode, stopped.all).toBe(31);
      expect(stopped.stderr).toMatch(new RegExp(`projects\\.code: ${count - 1} rows? repeats? a value`));
      expect(stopped.stderr).toMatch(/users\.slack_user_id: 1 row repeats a value/);
      const done = await on('restore', file, '--set-aside', '--yes');
      expect(done.exitCode, done.all).toBe(0);
      expect(await ask(database, 'SELECT count(*)::int FROM projects')).toEqual([1]);
      const [name] = await ask(
        database,
        "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'tt!_quarantine!_%' ESCAPE '!'",
      );
      await execute(
        database,
        `UPDATE ${String(name)}.projects SET code = NULL; UPDATE ${String(name)}.users SET slack_user_id = NULL`,
      );
      const mended = await on('quarantine', 'restore', String(name));
      expect(mended.exitCode, mended.all).toBe(0);
      expect(await ask(database, 'SELECT count(*)::int FROM projects')).toEqual([count]);
    });

    it('are verified, rehearsed and restored at a start from a bare file, with its log', async () => {
      const small = await install('sqlite');
      const { database, root, env } = await install('postgresql');
      const on = (...args: readonly string[]) => runInProcess(args, { TT_COMMAND_PREFIX: 'db-init', ...env });
      expect((await runInProcess([], small.env)).exitCode).toBe(0);
      const writer = new Database(small.database.name);
      writer.pragma('journal_mode = WAL');
      writer.exec(`${intoClients} (9, 'in the log', 'active', '2024-01-01', '2024-01-01')`);
      const bare = join(root, 'bare.db');
      for (const suffix of ['', '-wal']) await copyFile(small.database.name + suffix, bare + suffix);
      writer.close();

      const whole = await on('backup', 'verify', bare);
      expect(whole.exitCode, whole.all).toBe(0);
      const proven = await on('backup', 'verify', bare, '--prove');
      expect(proven.exitCode, proven.all).toBe(0);
      expect(proven.stdout).toMatch(/restored/i);
      const up = (...args: readonly string[]) => runInProcess(args, { ...env, TT_RESTORE_FROM: bare });
      for (const args of [['status'], ['plan'], ['plan', '--rehearse']]) {
        const told = await up(...args);
        expect(told.exitCode, told.all).toBe(0);
        expect(told.stdout).toContain(bare);
      }
      expect(await relatedDatabases(database)).toEqual([database.name]);
      const restored = await up();
      expect(restored.exitCode, restored.all).toBe(0);
      expect(await ask(database, 'SELECT name FROM clients')).toEqual(['in the log']);
      await execute(database, 'DELETE FROM clients');
      expect((await up()).stdout).toContain('was restored already');
      expect(await ask(database, 'SELECT name FROM clients')).toEqual([]);
    });

    it('are restored into a schema if the user may not create databases', async () => {
      const small = await install('sqlite');
      await small.must();
      await execute(
        small.database,
        "INSERT INTO clients (id, name, status, created_at, updated_at) VALUES (7, 'seven', 'active', '2024-01-01', '2024-01-01')",
      );
      const created = await createDatabase();
      const role = `plain_${created.name.slice(-8)}`;
      await admin(`CREATE ROLE ${role} LOGIN PASSWORD 'x' NOSUPERUSER NOCREATEDB`);
      await admin(`GRANT ALL ON DATABASE "${created.name}" TO ${role}`);
      await withClient(created.url, (client) => client.query(`ALTER SCHEMA public OWNER TO ${role}`));
      const url = new URL(created.url);
      [url.username, url.password] = [role, 'x'];
      const { must } = await install('postgresql', { database: { ...created, url: url.href } });
      await must();
      await must('restore', small.database.name, '--dry-run');
      expect(
        await ask(created, "SELECT count(*)::int FROM pg_namespace WHERE nspname LIKE 'tt!_%' ESCAPE '!'"),
      ).toEqual([0]);
      await must('restore', small.database.name, '--yes');
      expect(await ask(created, 'SELECT name FROM clients')).toEqual(['seven']);
      expect((await must()).stdout).toContain('healthy and current');
      await must('restore', '--undo', '--yes');
      expect(await ask(created, 'SELECT count(*)::int FROM clients')).toEqual([0]);
      await must('restore', '--drop-former', '--yes');
    });

    it('are restored from an archive with its uploads, and removed by an undo', async () => {
      const archive = currentArchive('sqlite');
      const { database, statics, run: on } = await install('postgresql');
      await execute(database, 'CREATE TABLE of_mine (id integer)');
      const stopped = await on('restore', archive, '--yes');
      expect(stopped.exitCode, stopped.all).toBe(31);
      expect(stopped.stderr).toMatch(/audit_logs\.entity_metadata: \d+ rows have a text that is no JSON \(json\)/);
      expect(await relatedDatabases(database)).toEqual([database.name]);
      expect(await ask(database, 'SELECT count(*)::int FROM of_mine')).toEqual([0]);

      const { exitCode, all } = await on('restore', archive, '--set-aside', '--yes');
      expect(exitCode, all).toBe(0);
      expect(await uploadsIn(statics)).toEqual(uploadsOf(archive));
      expect((await on('quarantine', 'list')).stdout).toContain('rows of a SQLite database');
      expect((await on()).stdout).toContain('healthy and current');
      expect((await on('restore', '--undo', '--yes')).exitCode).toBe(0);
      expect(await ask(database, 'SELECT count(*)::int FROM of_mine')).toEqual([0]);
      expect(Object.keys(await uploadsIn(statics))).toContain('logos/mine.png');
    });
  },
  'tools',
);
