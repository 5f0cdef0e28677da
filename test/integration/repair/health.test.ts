import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { execa } from 'execa';
import Database from 'better-sqlite3';
import { beforeAll, describe, expect, it } from 'vitest';
import { atEnd } from '../../support/cleanup.ts';
import {
  admin,
  createDatabase,
  createSqliteDatabase,
  databaseUrl,
  type TestDatabase,
  withClient,
} from '../../support/database.ts';
import { describePostgres, requirePostgres } from '../../support/postgres-server.ts';
import { runInProcess } from '../../support/run-in-process.ts';
import { run } from '../../support/run.ts';
import { restoredDatabase } from '../../support/templates.ts';
import { release, state } from '../../support/fixtures.ts';
import { coreTables } from '../../../src/schema/catalog.ts';
import { releaseGraph } from '../../../src/migration/revisions.ts';
import { toolsFor } from '../../support/postgres-installations.ts';
import { snapshot } from '../../support/snapshot.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

describePostgres('a healthy database', () => {
  let template: TestDatabase;
  beforeAll(async () => {
    template = await createDatabase();
    await run(['gate'], { env: { DATABASE_URL: template.url } });
  });

  /** A damaged database at the head. */
  async function damaged(sql: string): Promise<string> {
    const { url } = await createDatabase(template.name);
    await withClient(url, (client) => client.query(sql));
    return url;
  }

  const gate = (url: string) => run(['gate'], { env: { DATABASE_URL: url } });

  const valueOf = (url: string, expression: string): Promise<unknown> =>
    withClient(url, async (client) => {
      const { rows } = await client.query<Record<string, unknown>>(`SELECT (${expression})::text AS value`);
      return rows[0]?.['value'];
    });

  const capitals = ['draft', 'submitted', 'approved', 'rejected', 'cancelled']
    .map((label) => `ALTER TYPE timeoffrequeststatus RENAME VALUE '${label}' TO '${label.toUpperCase()}';`)
    .join('\n');
  const request = (status: string): string =>
    `SET session_replication_role TO replica;
     INSERT INTO time_off_requests (id, user_id, leave_type_id, start_date, end_date, status, created_at, updated_at)
     VALUES (${status === 'DRAFT' ? 1 : 2}, 1, 1, '2026-01-01', '2026-01-02', '${status}', now(), now());
     SET session_replication_role TO origin;`;

  it.each(
    Object.entries({
      'in capitals': capitals + request('DRAFT'),
      'in capitals, with the promised ones beside them':
        capitals +
        ['draft', 'submitted', 'approved', 'rejected', 'cancelled']
          .map((label) => `ALTER TYPE timeoffrequeststatus ADD VALUE '${label}';`)
          .join('\n') +
        request('DRAFT'),
      'in capitals and small letters, in part, and one of the owner': `
      ALTER TYPE timeoffrequeststatus RENAME VALUE 'draft' TO 'Draft';
      ALTER TYPE timeoffrequeststatus ADD VALUE 'DRAFT'; ALTER TYPE timeoffrequeststatus ADD VALUE 'waiting';
      ${request('DRAFT')}`,
    }),
  )('gets its labels back if they are %s, in rows and defaults', async (_, sql) => {
    const url = await damaged('SELECT 1');
    // a label cannot be used in the transaction that adds it
    for (const statement of sql.split(';').filter((each) => each.trim() !== '')) {
      await withClient(url, (client) => client.query(`SET session_replication_role TO replica; ${statement}`));
    }
    const { exitCode, all } = await gate(url);
    expect(exitCode, all).toBe(0);
    expect(await valueOf(url, "SELECT string_agg(status::text, ',') FROM time_off_requests")).toBe('draft');
    expect(await valueOf(url, 'SELECT enum_range(NULL::timeoffrequeststatus)')).toMatch(
      /^\{draft,submitted,approved,rejected,cancelled(?:,waiting)?\}$/,
    );
    const standard = `SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = adrelid AND attnum = adnum
                      WHERE adrelid = 'time_off_requests'::regclass AND attname = 'status'`;
    expect(await valueOf(url, standard)).toBe("'draft'::timeoffrequeststatus");
    const before = await snapshot(url);
    expect((await gate(url)).stdout).toContain('nothing to do');
    expect(await snapshot(url)).toBe(before);
  });

  const raising = `CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;`;
  const dropping = `CREATE FUNCTION drop_row() RETURNS trigger LANGUAGE plpgsql AS $$
    -- keeps nothing
    DECLARE n int; BEGIN RETURN NULL; END $$;`;

  /** Damages that the gate refuses; the statements in its banner correct them. */
  const refused: Readonly<Record<string, { sql: string; told: string; also?: string }>> = {
    'a column of the owner without a default': {
      sql: 'ALTER TABLE badges ADD COLUMN owner text NOT NULL',
      told: 'column owner on badges',
    },
    'a domain without a default that lets in no NULL': {
      sql: 'CREATE DOMAIN owned AS text NOT NULL; ALTER TABLE badges ADD COLUMN owner owned',
      told: 'column owner on badges',
    },
    'a domain whose check NULL does not pass': {
      sql: 'CREATE DOMAIN owned AS text CHECK (VALUE IS NOT NULL); ALTER TABLE badges ADD COLUMN owner owned',
      told: 'column owner on badges',
    },
    'a domain over such a domain': {
      sql: 'CREATE DOMAIN owned AS text NOT NULL; CREATE DOMAIN team AS owned; ALTER TABLE badges ADD COLUMN owner team',
      told: 'column owner on badges: team, a domain',
    },
    'a foreign key whose default refers to nothing': {
      sql: `CREATE TABLE teams (id int, "of" text, PRIMARY KEY (id, "of")); INSERT INTO teams VALUES (1, 'b');
            ALTER TABLE badges ADD COLUMN team int DEFAULT 1, ADD COLUMN "of" text NOT NULL DEFAULT 'a',
              ADD CONSTRAINT own FOREIGN KEY (team, "of") REFERENCES teams`,
      told: 'constraint own on badges',
    },
    "a foreign key of the application's column whose default refers to nothing": {
      sql: 'CREATE TABLE states (name text PRIMARY KEY); ALTER TABLE projects ADD CONSTRAINT own FOREIGN KEY (status) REFERENCES states',
      told: 'constraint own on projects',
    },
    'a foreign key of a column that needs a value to an empty table': {
      sql: 'CREATE TABLE names (name text PRIMARY KEY); ALTER TABLE comments ADD CONSTRAINT own FOREIGN KEY (content) REFERENCES names',
      told: 'constraint own on comments',
    },
    'a check that its own default does not pass': {
      sql: `ALTER TABLE badges ADD COLUMN rank int NOT NULL DEFAULT 0, ADD COLUMN kind text DEFAULT '';
            ALTER TABLE badges ADD CONSTRAINT own CHECK (rank > 0 OR kind IN ('x', 'a + b')) NOT VALID;
            ALTER TABLE badges ADD CHECK (kind <> 'x' AND rank IS NOT NULL OR kind IS NULL)`,
      told: 'constraint own on badges',
    },
    'a key whose default is no sequence': {
      sql: 'ALTER TABLE badges ALTER COLUMN id SET DEFAULT 5',
      told: 'default of the key id on badges',
    },
    'a trigger that writes to a table that was dropped': {
      sql: `CREATE FUNCTION logs() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.badge_log VALUES (NEW.id); RETURN NEW; END $$;
            CREATE FUNCTION fine() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE users SET username = username WHERE id = -1; RETURN NEW; END $$;
            CREATE TRIGGER t AFTER INSERT ON badges FOR EACH ROW EXECUTE FUNCTION logs();
            CREATE TRIGGER u AFTER INSERT ON badges FOR EACH ROW EXECUTE FUNCTION fine()`,
      told: 'trigger t on badges',
    },
    'a trigger that returns nothing': {
      sql: `CREATE FUNCTION notes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM 1; END $$;
            CREATE TRIGGER t BEFORE UPDATE ON badges FOR EACH ROW EXECUTE FUNCTION notes()`,
      told: 'trigger t on badges',
    },
    'an index for its replica identity that was dropped': {
      sql: `CREATE UNIQUE INDEX own ON badges (id); ALTER TABLE badges REPLICA IDENTITY USING INDEX own; DROP INDEX own;
            CREATE PUBLICATION p FOR TABLE badges`,
      told: 'replica identity badges',
    },
    "a generated column in place of the application's": {
      sql: `ALTER TABLE badges DROP COLUMN description;
            ALTER TABLE badges ADD COLUMN description text GENERATED ALWAYS AS (upper(name)) STORED`,
      told: 'column description on badges: it is generated',
    },
    'version rows with blanks at the end': {
      sql: 'ALTER TABLE alembic_version ALTER COLUMN version_num TYPE char(64)',
      told: 'column version_num on alembic_version: it is character(64)',
    },
    'a trigger that raises': {
      sql: `${raising} CREATE TRIGGER t BEFORE INSERT ON badges EXECUTE FUNCTION no()`,
      told: 'trigger t on badges',
    },
    'a trigger that drops every row': {
      sql: `${dropping} CREATE TRIGGER t BEFORE UPDATE ON badges FOR EACH ROW EXECUTE FUNCTION drop_row()`,
      told: 'trigger t on badges',
    },
    'a rule': { sql: 'CREATE RULE r AS ON INSERT TO badges DO INSTEAD NOTHING', told: 'rule r on badges' },
    'a check that nothing passes': {
      sql: 'ALTER TABLE badges ADD CONSTRAINT c CHECK (false) NOT VALID',
      told: 'constraint c on badges',
    },
    'an unlogged table': { sql: 'ALTER TABLE api_idempotency_keys SET UNLOGGED', told: 'unlogged table' },
    'a default that makes transactions read-only': {
      sql: `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only TO on', current_database()); END $$`,
      told: 'setting default_transaction_read_only',
    },
    'a published table that tells subscribers nothing of its rows': {
      sql: 'CREATE PUBLICATION p FOR TABLE badges; ALTER TABLE badges REPLICA IDENTITY NOTHING',
      told: 'replica identity badges',
    },
    'no roles and permissions': {
      sql: 'TRUNCATE roles, permissions, role_permissions CASCADE',
      told: 'table permissions has none of the rows',
    },
  };

  it('has sequences that continue after the highest number', async () => {
    const ids = `INSERT INTO clients (id, name) VALUES (5, 'Ada');`;
    const told = async (url: string, command: string): Promise<number> =>
      (await runInProcess([command], { DATABASE_URL: url, TT_BACKUP_BEFORE_MIGRATE: 'never' })).exitCode;
    for (const [sql, code] of [
      [`SELECT setval('clients_id_seq', 6, false); ALTER TABLE clients ALTER COLUMN id DROP DEFAULT`, 14],
      [`SELECT setval('clients_id_seq', 6, false)`, 0],
      [`SELECT setval('clients_id_seq', 1); ALTER SEQUENCE clients_id_seq INCREMENT BY 5`, 0],
      [`SELECT setval('clients_id_seq', 9); ALTER SEQUENCE clients_id_seq INCREMENT BY -1`, 14],
      [
        `SELECT setval('clients_id_seq', 9); ALTER TABLE clients ALTER COLUMN id SET DEFAULT nextval('users_id_seq')`,
        14,
      ],
      [
        `ALTER TABLE clients ALTER COLUMN id DROP DEFAULT; DROP SEQUENCE clients_id_seq; CREATE INDEX own ON clients (id);
         ALTER TABLE clients ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY`,
        14,
      ],
    ] as const) {
      const url = await damaged(`${ids} ${sql}`);
      expect([sql, await told(url, 'verify')]).toEqual([sql, code]);
      expect(await told(url, 'gate')).toBe(0);
      const next = await withClient(url, (client) =>
        client.query<{ id: number }>(`INSERT INTO clients (name) VALUES ('Bob') RETURNING id`),
      );
      expect(next.rows[0]?.id).toBeGreaterThan(5);
    }
  });

  it.each(Object.entries(refused))('has no %s, which the statements of the banner correct', async (_, each) => {
    const url = await damaged(each.sql);
    const before = await snapshot(url);
    const { exitCode, stderr } = await gate(url);
    expect(exitCode, stderr).toBe(14);
    expect(stderr.replaceAll(/\s+/g, ' ')).toContain(each.told);
    expect(await snapshot(url)).toBe(before);

    const { stdout } = await run(['repair', '--dry-run'], { env: { DATABASE_URL: url } });
    await withClient(url, (client) => client.query(stdout));
    const again = await gate(url);
    expect(again.exitCode, again.all).toBe(0);
  });

  it('is not made by a migration of one that has lost all permissions, until they are inserted', async () => {
    const { url } = await restoredDatabase(release('pg', 'v4.20.0', 'before.sql.gz'));
    await withClient(url, (client) => client.query('DELETE FROM role_permissions; DELETE FROM permissions'));
    const env = { DATABASE_URL: url, TT_BACKUP_BEFORE_MIGRATE: 'never' };
    const { exitCode, stderr } = await run(['gate'], { env });
    expect(exitCode, stderr).toBe(14);
    expect(stderr).toContain('table permissions has none of the rows');
    const remedies = stderr.match(/^ +INSERT INTO .*;$/gm) ?? [];
    for (const remedy of remedies) await withClient(url, (client) => client.query(remedy));
    const again = await run(['gate'], { env });
    expect(again.exitCode, again.all).toBe(0);
    expect(await valueOf(url, 'SELECT count(*) FROM role_permissions')).toBe(
      await valueOf(template.url, 'SELECT count(*) FROM role_permissions'),
    );
  });

  it('has no version row that somebody misspelt, whatever newer revisions are allowed', async () => {
    const [head = ''] = releaseGraph.heads;
    const { url } = await createDatabase(template.name);
    const env = { DATABASE_URL: url, TT_ALLOW_NEWER_SCHEMA: 'true' };
    const keyless =
      'ALTER TABLE alembic_version DROP CONSTRAINT alembic_version_pkc, ALTER COLUMN version_num DROP NOT NULL';
    await withClient(url, (client) => client.query(keyless));
    for (const row of [head.slice(0, 12), head.slice(0, 3), `${head} `, head.toUpperCase(), '', null]) {
      await withClient(url, (client) => client.query('UPDATE alembic_version SET version_num = $1', [row]));
      if (row === '' || row === null)
        await withClient(url, (client) => client.query('INSERT INTO alembic_version VALUES ($1)', [head]));
      const { exitCode, stderr } = await run(['gate'], { env });
      expect(exitCode, stderr).toBe(13);
      const [remedy = ''] = /^ +(?:UPDATE|DELETE FROM) alembic_version .*;$/m.exec(stderr) ?? [];
      await withClient(url, (client) => client.query(remedy));
      expect((await run(['gate'], { env })).stdout, remedy).toContain('nothing to do');
    }
  });

  it('loses the row of an earlier revision, which a dump that was loaded over it may have brought', async () => {
    const url = await damaged("INSERT INTO alembic_version VALUES ('050')");
    const { stdout } = await run(['plan'], { env: { DATABASE_URL: url } });
    expect(stdout).toContain('The gate would correct the rows of alembic_version');
    const corrected = await gate(url);
    expect(corrected.exitCode, corrected.all).toBe(0);
    expect(corrected.all).toMatch(/WARNING: alembic_version contains 050, .* check that the rows of the dump are here/);
    expect((await gate(url)).stdout).toContain('nothing to do');
  });

  const withoutKeys = `DO $$ DECLARE t record; BEGIN
      FOR t IN SELECT conrelid::regclass AS name, conname FROM pg_constraint WHERE contype = 'p' AND connamespace = 'public'::regnamespace LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I CASCADE', t.name, t.conname);
      END LOOP; END $$;`;

  it('is not the result of a load that was interrupted before its keys', async () => {
    const url = await damaged(withoutKeys);
    const versioned = await gate(url);
    expect(versioned.exitCode, versioned.all).toBe(11);
    expect(versioned.stderr).toContain('no primary key: users, projects');

    await withClient(url, (client) => client.query('DROP TABLE alembic_version; TRUNCATE roles, permissions'));
    const before = await snapshot(url);
    for (const command of [['gate'], ['adopt'], ['adopt', '--revision', releaseGraph.heads.join(',')]]) {
      const { exitCode, stderr } = await run(command, { env: { DATABASE_URL: url } });
      expect(exitCode, stderr).toBe(12);
      expect(stderr).toContain('the result of an interrupted restore');
    }
    expect(await snapshot(url)).toBe(before);
  });

  it.each([
    ['is refused where its other tables have no keys, as a load that was cut off', withoutKeys, 12],
    ['is cleaned up where they have them: its core tables were dropped', '', 0],
  ])('without core tables and version, %s', async (_title, keys, code) => {
    const url = await damaged(`${keys} DROP TABLE ${coreTables.join(', ')}, alembic_version CASCADE;`);
    const { exitCode, all } = await gate(url);
    expect(exitCode, all).toBe(code);
    expect(all).toContain(code === 0 ? 'Detected corrupted database state' : 'the result of an interrupted restore');
  });

  it('is not the result of pg_restore for a part of a dump, and the banner names the existing backups', async () => {
    const bin = (await toolsFor(15)) ?? '/usr/bin';
    const folder = await temporaryDirectory();
    const dump = join(folder, 'whole.dump');
    const env = { UPLOAD_FOLDER: folder, BACKUP_FOLDER: folder, DATABASE_URL: template.url };
    await execa(join(bin, 'pg_dump'), ['--format=custom', '--file', dump, template.url]);
    const made = await run(['backup', 'create'], { env });
    const [, backup = ''] = /(timetracker_backup_\w+\.zip)/.exec(made.all) ?? [];
    const { stdout } = await execa(join(bin, 'pg_restore'), ['--list', dump]);
    const [first = '', second = ''] = [...stdout.matchAll(/TABLE DATA \S+ (\S+)/g)].map(([, table = '']) => table);
    const parts = [
      ['--section=pre-data'],
      ['--section=pre-data', '--section=data', `--table=${first}`, `--table=${second}`],
    ];
    for (const [index, part] of parts.entries()) {
      const { url } = await createDatabase();
      await execa(join(bin, 'pg_restore'), ['--section=pre-data', '--dbname', url, dump]);
      if (index > 0) await execa(join(bin, 'pg_restore'), ['--data-only', ...part.slice(2), '--dbname', url, dump]);
      const before = await snapshot(url);
      const { exitCode, stderr } = await run(['gate'], { env: { ...env, DATABASE_URL: url } });
      // the version row is among the first tables
      expect([11, 12], stderr).toContain(exitCode);
      const words = stderr.replaceAll(/\s+/g, ' ');
      expect(words).toContain('the result of an interrupted restore');
      expect(words).toContain(`Existing backups: ${backup}.`);
      expect(await snapshot(url)).toBe(before);
    }
  });

  it.each([
    ['the head', releaseGraph.heads],
    ['a later revision', ['171_merge_kanban_feature_heads']],
    ['a later revision and an earlier one', ['158_add_workday_sessions_and_hour_limits', '050']],
  ])('is not one that was stamped with %s, until it is adopted at its revision', async (_, stamps) => {
    const database = await restoredDatabase(state('unversioned-049'));
    await withClient(database.url, (client) =>
      client.query(`CREATE TABLE IF NOT EXISTS alembic_version (version_num varchar(255) PRIMARY KEY);
                    INSERT INTO alembic_version VALUES ('${stamps.join("'), ('")}')`),
    );
    const before = await snapshot(database.url);
    const { exitCode, stderr } = await gate(database.url);
    expect(exitCode, stderr).toBe(14);
    const [, revision = ''] = /adopt --revision (\S+)/.exec(stderr) ?? [];
    expect(revision).toMatch(/^049/);
    expect(await snapshot(database.url)).toBe(before);
    const adopted = await run(['adopt', '--revision', revision], { env: { DATABASE_URL: database.url } });
    expect(adopted.exitCode, adopted.all).toBe(0);
    const migrated = await gate(database.url);
    expect(migrated.exitCode, migrated.all).toBe(0);
  });

  it('may have indexes with another sort order, and every reading command says what to run', async ({ skip }) => {
    const { url: server, major } = requirePostgres();
    if (major < 15) return skip('before PostgreSQL 15 a database knows no version of its collation');
    const icu = await withClient(server, (client) =>
      client.query("SELECT FROM pg_collation WHERE collname = 'de-x-icu'"),
    );
    if (icu.rowCount === 0) return skip('this server is built without ICU');
    const name = `dbi_${randomBytes(6).toString('hex')}`;
    await admin(
      `CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'en' LOCALE 'C.UTF-8'`,
    );
    atEnd(() => admin(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
    const url = databaseUrl(name);
    await gate(url);
    await withClient(url, (client) =>
      client.query(`ALTER TABLE clients ADD own text COLLATE "de-x-icu";
                    UPDATE pg_database SET datcollversion = '0.0' WHERE datname = current_database();
                    UPDATE pg_collation SET collversion = '0.0' WHERE collname = 'de-x-icu'`),
    );
    for (const command of ['status', 'plan', 'verify', 'gate']) {
      const { exitCode, all } = await run([command], { env: { DATABASE_URL: url } });
      expect(exitCode, all).toBe(0);
      expect(all).toContain(`REINDEX DATABASE ${name}; ALTER DATABASE ${name} REFRESH COLLATION VERSION;`);
      expect(all).toContain('ALTER COLLATION pg_catalog."de-x-icu" REFRESH VERSION;');
    }
    for (const statement of [
      `REINDEX DATABASE ${name}`,
      `ALTER DATABASE ${name} REFRESH COLLATION VERSION`,
      'ALTER COLLATION pg_catalog."de-x-icu" REFRESH VERSION',
    ]) {
      await withClient(url, (client) => client.query(statement));
    }
    expect((await run(['status'], { env: { DATABASE_URL: url } })).all).not.toContain('collation version');
  });

  it('is not migrated while a unique index over text has another sort order than the server', async ({ skip }) => {
    const { url: server } = requirePostgres();
    const there = await withClient(server, (client) =>
      client.query(
        "SELECT FROM pg_available_extensions, pg_collation WHERE name = 'amcheck' AND collname = 'en-x-icu'",
      ),
    );
    if (there.rowCount === 0) return skip('this server lacks amcheck or ICU');
    const { url } = await restoredDatabase(release('pg', 'v4.20.0', 'before.sql.gz'));
    await withClient(url, (client) =>
      client.query(`CREATE EXTENSION amcheck;
        CREATE TABLE own (name text COLLATE "C"); INSERT INTO own VALUES ('B'), ('a');
        CREATE UNIQUE INDEX "own Names" ON own (name);
        UPDATE pg_index SET indcollation = (SELECT oid::text FROM pg_collation WHERE collname = 'en-x-icu')::oidvector
        WHERE indexrelid = '"own Names"'::regclass`),
    );
    const before = await snapshot(url);
    for (const command of ['status', 'plan', 'gate']) {
      const { exitCode, all } = await run([command], { env: { DATABASE_URL: url, TT_BACKUP_BEFORE_MIGRATE: 'never' } });
      expect(exitCode, all).toBe(14);
      expect(all.replaceAll(/\s+/g, ' ')).toMatch(/own Names of own: item order invariant violated/);
      expect(all).toContain(`-c 'REINDEX INDEX public."own Names"'`);
    }
    expect(await snapshot(url)).toBe(before);
    await withClient(url, (client) => client.query('REINDEX INDEX public."own Names"'));
    const { exitCode, all } = await gate(url);
    expect(exitCode, all).toBe(0);
  });

  it('has no row with an unknown label, for any command', async () => {
    const url = await damaged(`ALTER TYPE timeoffrequeststatus ADD VALUE 'odd'`);
    await withClient(url, (client) => client.query(request('odd')));
    for (const command of ['status', 'plan', 'verify', 'gate']) {
      const { exitCode, stderr, all } = await run([command], { env: { DATABASE_URL: url } });
      expect(exitCode, all).toBe(14);
      expect(all).toContain('time_off_requests.status contains "odd"');
      expect(stderr + all).toContain(`SELECT * FROM "time_off_requests" WHERE "status" = 'odd'`);
    }
  });

  it('has the same notes in the reports of gate and status', async () => {
    const url = await damaged('CREATE PUBLICATION p FOR TABLE badges; ALTER TABLE projects ALTER status SET DEFAULT 5');
    const env = { DATABASE_URL: url };
    const [ofGate, ofStatus] = [await run(['gate', '--json'], { env }), await run(['status', '--json'], { env })];
    const notesIn = ({ stdout }: { stdout: string }): unknown => Reflect.get(Object(JSON.parse(stdout)), 'notes');
    expect(notesIn(ofGate)).toEqual([
      expect.objectContaining({ kind: 'changed default', object: 'projects.status' }),
      expect.objectContaining({ kind: 'publication' }),
    ]);
    expect(notesIn(ofGate)).toEqual(notesIn(ofStatus));
  });

  it('numbers new rows after the highest number', async () => {
    const url = await damaged(`INSERT INTO clients (id, name) VALUES (41, 'Imported')`);
    const { exitCode, stdout } = await gate(url);
    expect(exitCode, stdout).toBe(0);
    expect(stdout).toContain('moved the sequence of clients.id');
    expect(await valueOf(url, `nextval('clients_id_seq')`)).toBe('42');
  });

  it('requires a role that may write, and the banner names the missing rights of another role', async () => {
    const role = `dbi_${randomBytes(6).toString('hex')}`;
    const url = await damaged(
      `CREATE ROLE ${role} LOGIN PASSWORD 'x'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role}`,
    );
    atEnd(() => admin(`DROP ROLE ${role}`));
    const other = new URL(url);
    other.username = role;
    other.password = 'x';
    const { exitCode, stderr } = await gate(other.href);
    await withClient(url, (client) => client.query(`DROP OWNED BY ${role}`));
    expect(exitCode, stderr).toBe(14);
    expect(stderr).toMatch(new RegExp(`GRANT INSERT, UPDATE, DELETE ON \\w+ TO ${role};`));
  });

  it('has no policy that hides every row from the role', async () => {
    const role = `dbi_${randomBytes(6).toString('hex')}`;
    const policies = [
      'CREATE POLICY p ON badges USING (false)',
      'CREATE POLICY p ON badges USING (true) WITH CHECK (false)',
      'CREATE POLICY p ON badges; CREATE POLICY q ON badges AS RESTRICTIVE FOR INSERT WITH CHECK (false)',
      'CREATE POLICY p ON badges USING (id > 0 AND 1=0); CREATE POLICY q ON badges USING (id <> id)',
    ];
    for (const [index, policy] of policies.entries()) {
      const begin = index === 0 ? `CREATE ROLE ${role} LOGIN PASSWORD 'x';` : '';
      const url = await damaged(`${begin} GRANT ALL ON ALL TABLES IN SCHEMA public TO ${role};
        GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO ${role};
        ALTER TABLE badges ENABLE ROW LEVEL SECURITY; ${policy}`);
      const { exitCode, stderr } = await gate(Object.assign(new URL(url), { username: role, password: 'x' }).href);
      await withClient(url, (client) => client.query(`DROP OWNED BY ${role}`));
      expect(exitCode, stderr).toBe(14);
      expect(stderr).toContain('ALTER TABLE badges DISABLE ROW LEVEL SECURITY;');
    }
    await admin(`DROP ROLE ${role}`);
  });

  it('has no trigger, sequence or index that loses or refuses rows', async () => {
    const body = (statements: string, returned = 'NEW'): string =>
      `RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${statements} RETURN ${returned}; END $$`;
    const url = await damaged(`
      CREATE FUNCTION takes_back() ${body('DELETE FROM time_entries WHERE id = NEW.id;')};
      CREATE FUNCTION takes_all() ${body('PERFORM 1; DELETE FROM public.badges;', 'NULL')};
      CREATE FUNCTION drops() ${body('PERFORM 1;', 'NULL')};
      CREATE FUNCTION raises() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE x text := 'a;b'; BEGIN x := 'it''s; so'; /* ; */ RAISE EXCEPTION 'no'; END $$;
      CREATE FUNCTION tidies() ${body("DELETE FROM audit_logs WHERE created_at < now() - interval '1 year';")};
      CREATE FUNCTION minds() ${body("IF NEW.name = '' THEN DELETE FROM tasks WHERE id = NEW.id; RAISE EXCEPTION 'no'; END IF;")};
      CREATE FUNCTION forgives() ${body("BEGIN RAISE EXCEPTION 'no'; EXCEPTION WHEN OTHERS THEN NULL; END;")};
      CREATE TRIGGER takes_back AFTER INSERT ON time_entries FOR EACH ROW EXECUTE FUNCTION takes_back();
      CREATE TRIGGER takes_all AFTER UPDATE ON badges FOR EACH STATEMENT EXECUTE FUNCTION takes_all();
      CREATE TRIGGER drops BEFORE UPDATE ON clients FOR EACH ROW WHEN (true) EXECUTE FUNCTION drops();
      CREATE TRIGGER raises BEFORE INSERT ON projects FOR EACH ROW EXECUTE FUNCTION raises();
      CREATE TRIGGER tidies AFTER INSERT ON audit_logs FOR EACH ROW EXECUTE FUNCTION tidies();
      CREATE TRIGGER minds AFTER INSERT ON tasks FOR EACH ROW EXECUTE FUNCTION minds();
      CREATE TRIGGER forgives AFTER INSERT ON tasks FOR EACH ROW EXECUTE FUNCTION forgives();
      CREATE UNIQUE INDEX one_only ON comments ((1));
      ALTER TABLE expenses ADD CONSTRAINT never CHECK (amount > 0 AND 1 = 2) NOT VALID;
      ALTER SEQUENCE users_id_seq MAXVALUE 7; SELECT setval('users_id_seq', 7);
      CREATE DOMAIN public.varchar AS pg_catalog.text`);
    const { exitCode, all } = await run(['status'], { env: { DATABASE_URL: url } });
    expect(exitCode, all).toBe(14);
    const { stderr } = await gate(url);
    for (const remedy of [
      'DROP TRIGGER takes_back ON time_entries;',
      'DROP TRIGGER takes_all ON badges;',
      'DROP TRIGGER drops ON clients;',
      'DROP TRIGGER raises ON projects;',
      'DROP INDEX "one_only";',
      'ALTER TABLE "expenses" DROP CONSTRAINT "never";',
      'ALTER SEQUENCE users_id_seq NO MAXVALUE NO CYCLE;',
    ]) {
      expect(stderr).toContain(remedy);
    }
    for (const name of ['trigger tidies', 'trigger minds', 'trigger forgives', 'type named like a built-in varchar']) {
      expect(all).toContain(`also here: ${name}`);
    }
    const remedies = /^3\. [^]*?\n4\./m.exec(stderr)?.[0].match(/^ {5}[A-Z].*;$/gm) ?? [];
    for (const remedy of remedies) await withClient(url, (client) => client.query(remedy));
    const healthy = await gate(url);
    expect(healthy.exitCode, healthy.all).toBe(0);
  });

  const trigger = (table: string, statements: string, when = 'BEFORE INSERT OR UPDATE'): string => `
    CREATE FUNCTION on_${table}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${statements} RETURN NEW; END $$;
    CREATE TRIGGER own ${when} ON ${table} FOR EACH ROW EXECUTE FUNCTION on_${table}();`;

  it('has no object that refuses every row by code that only runs when a row is written', async () => {
    const url = await damaged(`
      INSERT INTO clients (name) VALUES ('Ada');
      ${trigger('badges', 'NEW.name := NULL;')}
      ${trigger('comments', 'PERFORM 1 / 0;')}
      ${trigger('tasks', 'IF NEW.gone IS NULL THEN NULL; END IF;')}
      ${trigger('clients', 'NEW.name := gone(NEW.name);')}
      ${trigger('projects', "IF true THEN RAISE EXCEPTION '%', repeat('no', 100000); END IF;")}
      ${trigger('expenses', 'UPDATE expenses SET title = NULL WHERE id = NEW.id;', 'AFTER INSERT')}
      CREATE FUNCTION never(text) RETURNS boolean LANGUAGE sql AS 'SELECT false';
      ALTER TABLE invoices ADD CONSTRAINT own CHECK (never(notes)) NOT VALID;
      CREATE FUNCTION fails(text) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION $q$no$q$; END';
      CREATE INDEX own_index ON quotes (fails(title));
      ALTER TABLE payments ADD COLUMN own int GENERATED ALWAYS AS (NULL::int) STORED NOT NULL;
      ${trigger('users', "RAISE NOTICE 'x'; ASSERT 1 > 2;")}`);
    const before = await snapshot(url);
    const { exitCode, stderr } = await gate(url);
    expect(exitCode, stderr).toBe(14);
    expect(await snapshot(url)).toBe(before);
    expect(stderr.length).toBeLessThan(20_000);
    for (const table of ['badges', 'comments', 'tasks', 'clients', 'projects', 'expenses', 'users']) {
      expect(stderr).toContain(`DROP TRIGGER "own" ON "${table}";`);
    }
    for (const object of ['constraint own on invoices', 'index own_index on quotes', 'column own on payments']) {
      expect(stderr.replaceAll(/\s+/g, ' ')).toContain(object);
    }
    const { stdout } = await run(['repair', '--dry-run'], { env: { DATABASE_URL: url } });
    await withClient(url, (client) => client.query(stdout));
    const again = await gate(url);
    expect(again.exitCode, again.all).toBe(0);
  });

  it('may have code that judges rows, writes elsewhere or acts outside, of which nothing stays when rows are tried', async () => {
    const url = await damaged(`
      CREATE TABLE own_log (id serial, what text);
      CREATE SCHEMA app; CREATE TABLE app.rules (name text);
      CREATE FUNCTION allowed(text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN INSERT INTO own_log (what) VALUES ('called'); RETURN false; END $$;
      ${trigger('badges', "IF NEW.name !~ '^[A-Z]{9}$' THEN RAISE EXCEPTION 'the name is not allowed'; END IF;")}
      ${trigger('comments', "IF true THEN INSERT INTO own_log (what) VALUES ('comment'); RAISE EXCEPTION 'after writing'; END IF;", 'AFTER INSERT')}
      ${trigger('tasks', "IF NOT allowed(NEW.name) THEN RAISE EXCEPTION 'no'; END IF;")}
      ${trigger('clients', "IF now() > '2020-01-01' THEN RAISE EXCEPTION 'closed at this time'; END IF;")}
      ${trigger('projects', "IF NOT EXISTS (SELECT FROM rules) THEN RAISE EXCEPTION 'no rules'; END IF;")}
      ${trigger('expenses', "IF true THEN EXECUTE 'COPY (SELECT 1) TO PROGRAM ''touch /tmp/never'''; RAISE EXCEPTION 'no'; END IF;")}
      ${trigger('users', 'NEW.updated_at := now();')}
      CREATE FUNCTION mild(text) RETURNS boolean LANGUAGE sql AS 'SELECT false';
      ALTER TABLE invoices ADD CONSTRAINT own CHECK (mild(notes) OR notes = 'a certain text') NOT VALID;
      CREATE INDEX own_index ON quotes (lower(title));
      DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path TO public, app', current_database()); END $$;`);
    const before = await snapshot(url);
    const { exitCode, all } = await gate(url);
    expect(exitCode, all).toBe(0);
    expect(await snapshot(url)).toBe(before);
  });

  it('may have objects that do not prevent writes of the application, and status names them', async () => {
    const url = await damaged(`
      CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.name = 'x' THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END $$;
      CREATE TRIGGER watch BEFORE INSERT ON badges FOR EACH ROW EXECUTE FUNCTION note();
      CREATE RULE log AS ON DELETE TO badges DO ALSO NOTIFY gone;
      CREATE FUNCTION counts(int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_notify('x', ''); RAISE EXCEPTION 'db-init called a function'; END $$;
      ALTER TABLE badges ADD COLUMN counts int, ADD CONSTRAINT calls CHECK (counts(counts)) NOT VALID;
      ALTER TABLE clients ADD CONSTRAINT named CHECK (name <> ''), ENABLE ROW LEVEL SECURITY;
      CREATE PUBLICATION pub FOR TABLE clients;
      DO $$ BEGIN EXECUTE 'CREATE PUBLICATION whole FOR ' || CASE WHEN current_setting('server_version_num')::int < 150000
        THEN 'ALL TABLES' ELSE 'TABLES IN SCHEMA public' END; END $$;
      CREATE TABLE more_badges () INHERITS (badges);
      CREATE FUNCTION public.lower(integer) RETURNS integer LANGUAGE sql AS 'SELECT $1';
      CREATE CAST (timestamp AS integer) WITH INOUT AS ASSIGNMENT;
      ALTER TABLE exchange_rates DISABLE TRIGGER ALL;
      DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET statement_timeout TO ''2s''', current_database()); END $$;
      ALTER TABLE clients ALTER COLUMN name TYPE text, ALTER COLUMN email TYPE text,
        ALTER COLUMN default_hourly_rate TYPE numeric, ALTER COLUMN created_at TYPE timestamptz;
      ALTER TABLE kanban_columns ALTER COLUMN position TYPE bigint;
      ALTER TABLE projects ALTER COLUMN status SET DEFAULT 'x', ALTER COLUMN code SET DEFAULT 'y';
      ALTER TABLE tasks SET (autovacuum_enabled = off);
      INSERT INTO clients (name, email, default_hourly_rate) VALUES
        (repeat('ä', 201), repeat('x', 200), 'NaN'), (repeat('ü', 202), NULL, 0.125), (repeat('x', 200), '', 1e8), ('y', '', -12.5);
      UPDATE kanban_columns SET position = 2147483648 WHERE id = (SELECT min(id) FROM kanban_columns)`);
    const { exitCode, stdout } = await run(['status'], { env: { DATABASE_URL: url } });
    expect(exitCode, stdout).toBe(0);
    for (const name of [
      'trigger watch on badges',
      'rule log on badges',
      'constraint named on clients',
      'row security clients',
    ]) {
      expect(stdout).toContain(`also here: ${name}`);
    }
    expect(stdout).toContain('publication pub on clients');
    expect(stdout).toContain(
      "changed default status on projects: it is 'x'::character varying, and the revision makes it 'active'::character varying",
    );
    expect(stdout.match(/changed default/g)).toHaveLength(1);
    expect(stdout).toContain('autovacuum tasks: it is turned off');
    expect(stdout).toContain('setting statement_timeout: it is 2s');
    expect(stdout).toContain('publication whole');
    expect(stdout).toContain('inheritance more_badges on badges');
    expect(stdout).toContain('function named like a built-in lower');
    const cast = 'cast between built-in types timestamp without time zone AS integer';
    expect(stdout).toContain(cast);
    for (const command of ['plan', 'verify']) {
      expect((await run([command], { env: { DATABASE_URL: url } })).stdout).toContain(cast);
    }
    expect(stdout).toContain('foreign key that is not enforced');
    const clients = 'on clients: it is';
    expect(stdout).toContain(
      `name ${clients} text, and holds all that character varying(200) does; 2 of its values would not fit into that`,
    );
    expect(stdout).toContain(`email ${clients} text, and holds all that character varying(200) does\n`);
    expect(stdout).toContain(
      'default_hourly_rate on clients: it is numeric, and holds all that numeric(9,2) does; 2 of',
    );
    expect(stdout).toContain('created_at on clients: it is timestamp with time zone');
    expect(stdout).toContain(
      'position on kanban_columns: it is bigint, and holds all that integer does; 1 of its values',
    );
    expect((await gate(url)).stdout).toContain('nothing to do');
  });
});

describe('a healthy SQLite file', () => {
  it.each<readonly [string, string, number]>([
    ['a column of the owner without a default', `ALTER TABLE badges ADD COLUMN owner text NOT NULL DEFAULT ''`, 0],
    [
      'a trigger that removes what was written',
      `CREATE TRIGGER t AFTER INSERT ON badges BEGIN SELECT 'a;b'; DELETE FROM "badges" WHERE id = NEW.id; END`,
      14,
    ],
    [
      'a trigger that tidies up',
      `CREATE TRIGGER t AFTER INSERT ON badges BEGIN DELETE FROM badges WHERE id < 0; DELETE FROM badges_old WHERE id = NEW.id; END;
       CREATE TABLE badges_old (id int)`,
      0,
    ],
    [
      'a trigger that raises after something else, under a condition that always holds',
      `CREATE TRIGGER t BEFORE UPDATE ON badges WHEN 1 = 1 BEGIN SELECT 1; /* ; */ SELECT RAISE(IGNORE); END`,
      14,
    ],
    ['a trigger that raises', `CREATE TRIGGER t BEFORE INSERT ON badges BEGIN SELECT RAISE(ABORT, 'no'); END`, 14],
    [
      'a trigger that raises now and then',
      `CREATE TRIGGER t BEFORE INSERT ON badges WHEN NEW.name = 'x' BEGIN SELECT RAISE(ABORT, 'no'); END`,
      0,
    ],
    ...[
      `SELECT CASE WHEN 1 THEN RAISE(ABORT, 'no') END`,
      `SELECT RAISE(ABORT, 'no') WHERE 1`,
      `SELECT abs(-9223372036854775807 - 1)`,
      `UPDATE badges SET name = NULL WHERE id = NEW.id`,
      `INSERT INTO users (id) VALUES (1)`,
    ].map(
      (statement) =>
        ['code that always fails', `CREATE TRIGGER t AFTER INSERT ON badges BEGIN ${statement}; END`, 14] as const,
    ),
    ...[
      `SELECT CASE WHEN NEW.name = 'x' THEN RAISE(ABORT, 'no') END`,
      `SELECT RAISE(ABORT, 'no') WHERE NOT EXISTS (SELECT 1 FROM users)`,
      `SELECT RAISE(ABORT, 'no') WHERE date('now') > '2020-01-01'`,
      `UPDATE badges SET description = name WHERE id = NEW.id`,
    ].map(
      (statement) =>
        ['code that judges rows', `CREATE TRIGGER t AFTER INSERT ON badges BEGIN ${statement}; END`, 0] as const,
    ),
    [
      'a table of the owner with such a trigger',
      `CREATE TABLE own (a int); CREATE TRIGGER t BEFORE INSERT ON own BEGIN SELECT RAISE(ABORT, 'no'); END`,
      0,
    ],
    [
      'a trigger that does not compile any more',
      `CREATE TABLE log (a); CREATE TRIGGER t AFTER DELETE ON badges BEGIN INSERT INTO log VALUES (1); END; DROP TABLE log`,
      14,
    ],
    [
      'a trigger that names a column that is not there',
      `CREATE TRIGGER t AFTER UPDATE OF name ON badges WHEN NEW.gone IS NULL BEGIN SELECT 1; END`,
      14,
    ],
    [
      'a trigger that reads a view that does not work',
      `CREATE VIEW v AS SELECT x FROM gone; CREATE TRIGGER t AFTER INSERT ON badges BEGIN SELECT count(*) FROM v; END`,
      14,
    ],
    [
      'triggers that compile, and one with a text in double quotation marks, which the application reads',
      `CREATE VIRTUAL TABLE found USING fts5(name, content='badges', content_rowid='id');
       CREATE TRIGGER t AFTER DELETE ON badges BEGIN INSERT INTO found (found, rowid, name) VALUES ('delete', old.id, old.name); END;
       CREATE TABLE log (a UNIQUE, b REFERENCES users(full_name));
       CREATE TRIGGER u AFTER INSERT ON badges WHEN NEW.name REGEXP 'x' BEGIN
         INSERT INTO log (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 1; END;
       CREATE TRIGGER w AFTER UPDATE ON users BEGIN INSERT INTO log (a) VALUES ("insert"); END`,
      0,
    ],
    [
      'a view of the owner that does not work, and a trigger of a table of its own',
      `CREATE VIEW v AS SELECT x FROM gone; CREATE TABLE own (a int);
       CREATE TRIGGER t BEFORE INSERT ON own BEGIN INSERT INTO gone VALUES (1); END`,
      0,
    ],
    [
      "a generated column in place of the application's",
      `ALTER TABLE badges DROP COLUMN description;
       ALTER TABLE badges ADD COLUMN description TEXT GENERATED ALWAYS AS (upper(name)) VIRTUAL`,
      14,
    ],
    ['a generated column of the owner', `ALTER TABLE badges ADD COLUMN loud TEXT NOT NULL AS (upper(name))`, 0],
    [
      'a column of the owner that needs a value',
      `DROP TABLE user_badges; DROP TABLE push_subscriptions;
       CREATE TABLE push_subscriptions (id INTEGER NOT NULL PRIMARY KEY, owner TEXT NOT NULL, CHECK (0))`,
      14,
    ],
  ])('is recognised or not, with %s', async (_what, sql, expected) => {
    const { url, name } = await createSqliteDatabase();
    await gateOn(url);
    execute(name, sql);
    const { exitCode, all } = await gateOn(url);
    expect(exitCode, all).toBe(expected);
  });
});

it.each([
  `CREATE TRIGGER t BEFORE INSERT ON badges BEGIN SELECT RAISE(ABORT, 'no'); END`,
  `ALTER TABLE badges DROP COLUMN description; ALTER TABLE badges ADD COLUMN description TEXT AS (upper(name))`,
])('a SQLite file is healthy again after the statement of the banner: %s', async (sql) => {
  const { url, name } = await createSqliteDatabase();
  await gateOn(url);
  execute(name, sql);
  expect((await gateOn(url)).exitCode).toBe(14);
  execute(name, (await run(['repair', '--dry-run'], { env: { DATABASE_URL: url } })).stdout);
  expect((await gateOn(url)).exitCode).toBe(0);
});

it('the banner prints a command for a name that SQLite can only write unchanged', async ({ skip }) => {
  if ((await execa('sqlite3', ['--version'], { reject: false })).failed) return skip('there is no sqlite3 here');
  const { url, name } = await createSqliteDatabase();
  await gateOn(url);
  execute(name, `CREATE TRIGGER "it's\n\u202e 100%" BEFORE INSERT ON badges BEGIN SELECT RAISE(ABORT, 'no'); END`);
  const { stdout } = await run(['repair', '--dry-run'], { env: { DATABASE_URL: url } });
  expect(stdout).not.toContain('U&');
  const [, command = ''] = /^-- in a shell: (.*)$/m.exec(stdout) ?? [];
  expect((await gateOn(url)).stderr).toContain(command);
  await execa('sh', ['-c', command]);
  expect((await gateOn(url)).exitCode).toBe(0);
});

function execute(file: string, sql: string): void {
  const database = new Database(file);
  database.exec(sql);
  database.close();
}

const gateOn = (url: string) => run(['gate'], { env: { DATABASE_URL: url } });
