import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import { releaseGraph } from '../../../src/migration/revisions.ts';
import { ownerOf } from '../../faults/owners.ts';
import { createDatabase, createSqliteDatabase, describeEngines, withClient } from '../../support/database.ts';
import { describePostgres, requirePostgres } from '../../support/postgres-server.ts';
import { snapshot } from '../../support/snapshot.ts';
import { dbInit, withSession } from '../upgrade/release-database.ts';
import { migrateToRows } from '../upgrade/migrate-to-rows.ts';
import { applicationArchive } from '../restore/crafted.ts';

const never = { TT_BACKUP_BEFORE_MIGRATE: 'never' };

describeEngines('duplicate rows in alembic_version', ({ name, create }) => {
  const doubled =
    name === 'postgresql'
      ? 'ALTER TABLE alembic_version DROP CONSTRAINT alembic_version_pkc'
      : `ALTER TABLE alembic_version RENAME TO former; CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL);
         INSERT INTO alembic_version SELECT * FROM former; DROP TABLE former`;

  it.for([
    ['at the head', releaseGraph.heads],
    ['at an older revision', ['196_add_einvoice_address_and_vat_category']],
    ['beside another row', ['183_add_device_token_push_subscription', '183_add_idle_needs_review']],
  ] as const)('are removed except for one (%s), and the gate succeeds', async ([, revisions]) => {
    const database = await create();
    await migrateToRows(database, revisions, (session) =>
      session.run(
        `${doubled}; INSERT INTO alembic_version SELECT version_num FROM alembic_version WHERE version_num = '${revisions[0] ?? ''}'`,
      ),
    );
    const { exitCode, all } = await dbInit([], database.url);
    expect(exitCode, all).toBe(0);
    expect(all).toContain(`alembic_version contains ${revisions[0] ?? ''} more than once`);
    await withSession(database.url, async (session) => {
      expect(await session.query('SELECT * FROM alembic_version')).toEqual([{ version_num: releaseGraph.heads[0] }]);
      const again = session.run('INSERT INTO alembic_version SELECT * FROM alembic_version').then(
        () => 'taken',
        () => 'refused',
      );
      expect(await again).toBe('refused');
    });
  });
});

describe('duplicate rows in alembic_version of a SQLite file with objects of the owner on that table', () => {
  it('are corrected, and objects of the owner on the table stay', async () => {
    const database = await createSqliteDatabase();
    const [head = ''] = releaseGraph.heads;
    await dbInit([], database.url);
    await withSession(database.url, (session) =>
      session.run(`DROP TABLE alembic_version; CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL);
        INSERT INTO alembic_version VALUES ('${head}'), ('${head}');
        CREATE VIEW at AS SELECT version_num FROM alembic_version`),
    );
    const { exitCode, all } = await dbInit([], database.url);
    expect(exitCode, all).toBe(0);
    await withSession(database.url, async (session) => {
      expect(await session.query('SELECT * FROM at')).toEqual([{ version_num: head }]);
    });
  });
});

describe('a view of the owner in a SQLite file', () => {
  it('is named if a revision drops its column, with the statements that drop it and make it again', async () => {
    const database = await createSqliteDatabase();
    const create = `CREATE VIEW "who sees" AS\n  SELECT ui_allow_kiosk AS kiosk FROM settings`;
    await migrateToRows(database, ['092_missing_module_flags'], (session) =>
      session.run(`INSERT INTO users (id, username, password_change_required) VALUES (1, 'ada', FALSE); ${create}`),
    );
    const before = await snapshot(database.url);
    const { exitCode, stderr } = await dbInit([], database.url, never);
    expect(exitCode, stderr).toBe(20);
    expect(await snapshot(database.url)).toBe(before);
    expect(stderr).toContain('- view who sees');
    expect(stderr).toContain('Save these definitions, drop the objects');
    expect(stderr).toContain(`sqlite3 ${database.name}`);
    expect(stderr).toContain(`${create.replaceAll('\n', '\n     ')};`);
    const [, drop = ''] = /^ +(DROP VIEW .*;)$/m.exec(stderr) ?? [];
    await withSession(database.url, (session) => session.run(drop));
    expect((await dbInit([], database.url, never)).exitCode).toBe(0);
  });
});

describePostgres("the owner's own objects in a database", () => {
  let [current, old] = ['', ''];

  beforeAll(async () => {
    const [atHead, behind] = [await createDatabase(), await createDatabase()];
    await migrateToRows(behind, ['092_missing_module_flags'], (session) =>
      session.run(`INSERT INTO users (id, username, password_change_required) VALUES (1, 'ada', FALSE)`),
    );
    await dbInit([], atHead.url);
    [current, old] = [atHead.name, behind.name];
  });

  /** A copy of a database, changed by SQL. */
  const copyOf = async (template: string, sql: string) => {
    const database = await createDatabase(template);
    await withClient(database.url, (client) => client.query(sql));
    return database;
  };
  const execute = (url: string, sql: string) => withClient(url, (client) => client.query(sql));
  /** The SQL between two lines of a banner. */
  const sqlOf = (banner: string, from: RegExp, to: RegExp): string => {
    const lines = banner.split('\n').map((line) => line.replace(/^(?: {3}|\d\. )/, ''));
    const start = lines.findIndex((line) => from.test(line)) + 1;
    return lines
      .slice(
        start,
        lines.findIndex((line, place) => place >= start && to.test(line)),
      )
      .join('\n');
  };

  it('name in the banner the views that a migration would break, with the statements that drop and make them', async () => {
    const { url } = await copyOf(
      old,
      `CREATE SCHEMA reports; CREATE TABLE log (prefix TEXT);
       CREATE VIEW reports."first View" WITH (security_barrier) AS SELECT id, invoice_prefix FROM settings;
       CREATE VIEW second AS SELECT f.invoice_prefix, 'a
;b' AS text FROM reports."first View" f;
       CREATE MATERIALIZED VIEW third AS SELECT count(*) AS n, invoice_prefix FROM second GROUP BY 2;
       CREATE INDEX ix_third ON third (n);
       CREATE RULE keep AS ON UPDATE TO settings DO ALSO INSERT INTO log VALUES (NEW.invoice_prefix);
       CREATE VIEW other AS SELECT username FROM users;
       GRANT SELECT ON second TO PUBLIC`,
    );
    const before = await snapshot(url);
    const { exitCode, stderr } = await dbInit([], url, never);
    expect(exitCode, stderr).toBe(20);
    for (const line of [
      '- view reports."first View"',
      '- view second',
      '- materialized view third',
      '- rule keep of settings',
    ]) {
      expect(stderr).toContain(line);
    }
    expect(stderr).not.toContain('view other');
    expect(await snapshot(url)).toBe(before);

    const drops = stderr
      .split('\n')
      .flatMap((line) => /^ +(DROP .*;)$/.exec(line) ?? [])
      .filter((line) => !line.startsWith(' '));
    await execute(url, drops.join('\n'));
    const { exitCode: second, all } = await dbInit([], url, never);
    expect(second, all).toBe(0);
    await execute(url, sqlOf(stderr, /-- afterwards/, /^(?:Until then|Or |=)/));
    await execute(
      url,
      "INSERT INTO settings (mail_enabled, invoice_prefix) VALUES (FALSE, 'x'); REFRESH MATERIALIZED VIEW third",
    );
    const { rows } = await execute(
      url,
      `SELECT n, (SELECT text FROM second) AS text, has_table_privilege('public', 'second', 'SELECT') AS granted, to_regclass('ix_third') IS NOT NULL AS indexed FROM third`,
    );
    expect(rows).toEqual([{ n: '1', text: 'a\n;b', granted: true, indexed: true }]);
    expect((await dbInit(['verify'], url)).exitCode).toBe(0);
  });

  it('name in the banner the objects of an archive that prevent its migration, and can be removed by hand', async () => {
    const ways = [
      [
        'CREATE VIEW mine AS SELECT ui_allow_kiosk FROM settings',
        '- view mine',
        /^ +(DROP VIEW .*);$/m,
        'CREATE VIEW mine AS',
      ],
      [
        `CREATE FUNCTION public.forbid() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
         CREATE EVENT TRIGGER "no ddl" ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION public.forbid();
         ALTER EVENT TRIGGER "no ddl" DISABLE; ALTER EVENT TRIGGER "no ddl" ENABLE`,
        '- no ddl, on ddl_command_end',
        /^ +(ALTER EVENT TRIGGER "no ddl" DISABLE);$/m,
        'ALTER EVENT TRIGGER "no ddl" ENABLE',
      ],
    ] as const;
    const live = await copyOf(current, 'SELECT 1');
    const before = await snapshot(live.url);
    for (const [sql, named, removal, anew] of ways) {
      const source = await copyOf(old, sql);
      const { stdout: dump } = await execa(
        join(requirePostgres().binDirectory ?? '', 'pg_dump'),
        ['--format=custom', '--dbname', source.url],
        { encoding: 'buffer' },
      );
      const archive = await applicationArchive('postgresql', Buffer.from(dump), '092_missing_module_flags');
      const { exitCode, stderr } = await dbInit(
        ['restore', archive, '--trust-archive', '--database-only', '--yes'],
        live.url,
      );
      expect(exitCode, stderr).toBe(31);
      for (const words of [named, 'These objects came with the archive', 'createdb', 'pg_restore', anew]) {
        expect(stderr).toContain(words);
      }
      expect(await snapshot(live.url)).toBe(before);
      // the advice of the banner, in the database of the archive
      const [, statement = ''] = removal.exec(stderr) ?? [];
      await execute(source.url, statement);
      expect((await dbInit([], source.url, never)).exitCode).toBe(0);
    }
  });

  it('name in the banner the views over a column that a migration widens, with all statements', async () => {
    const { url } = await copyOf(
      current,
      `ALTER TABLE settings ALTER COLUMN invoice_prefix TYPE varchar(10);
       CREATE VIEW mine AS SELECT invoice_prefix FROM settings`,
    );
    const { exitCode, stderr } = await dbInit([], url, never);
    expect(exitCode, stderr).toBe(14);
    expect(stderr.replaceAll(/\s+/g, ' ')).toContain('other objects depend on it: the view mine');
    await execute(
      url,
      sqlOf(stderr, /Correct these by hand|before you run them/, /^(?:Restore|Or |\d\.|=)/).replaceAll(
        /^.*before you run them\.$/gm,
        '',
      ),
    );
    expect((await dbInit(['verify'], url)).exitCode).toBe(0);
  });

  it('name in the banner an event trigger that refuses the change, with how to disable it', async () => {
    const { url } = await copyOf(
      old,
      `CREATE FUNCTION public.forbid() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no changes on Fridays'; END $$;
       CREATE EVENT TRIGGER "no ddl" ON ddl_command_start WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION public.forbid()`,
    );
    for (const command of ['status', 'plan']) {
      expect((await dbInit([command], url, never)).stdout).toContain('event trigger no ddl');
    }
    const { exitCode, stderr } = await dbInit([], url, never);
    expect(exitCode, stderr).toBe(20);
    expect(stderr).toContain('no changes on Fridays');
    expect(stderr).toContain('ALTER EVENT TRIGGER "no ddl" DISABLE');
    expect(stderr).toContain('ALTER EVENT TRIGGER "no ddl" ENABLE');
    await execute(url, 'ALTER EVENT TRIGGER "no ddl" DISABLE');
    expect((await dbInit([], url, never)).exitCode).toBe(0);
  });

  it('prevent every change while forced row security may hide rows, with the statement that helps', async () => {
    const database = await copyOf(
      old,
      `ALTER TABLE users ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
       CREATE POLICY visible ON users USING (username <> 'ada')`,
    );
    const { url, role } = await ownerOf(database);
    await execute(
      database.url,
      `DO $$ DECLARE t text; BEGIN FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
         EXECUTE format('ALTER TABLE %I OWNER TO ${role}', t); END LOOP; END $$`,
    );
    for (const command of ['status', 'plan', 'gate']) {
      const { exitCode, all } = await dbInit([command], url, never);
      expect(exitCode, all).toBe(4);
      expect(all).toContain('ALTER TABLE public.users NO FORCE ROW LEVEL SECURITY;');
    }
    const backup = await dbInit(['backup', 'create'], url);
    expect(backup.exitCode, backup.all).toBe(30);
    expect(backup.all).toContain('row-level security');
    await execute(url, 'ALTER TABLE public.users NO FORCE ROW LEVEL SECURITY');
    const { exitCode, all } = await dbInit([], url, never);
    expect(exitCode, all).toBe(0);

    // at the head, hidden rows do not count as missing
    await execute(
      url,
      ['roles', 'permissions', 'role_permissions']
        .map(
          (table) =>
            `ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; CREATE POLICY others ON ${table} USING (current_user = 'somebody')`,
        )
        .join(';'),
    );
    const status = await dbInit(['status'], url);
    expect(status.exitCode, status.all).toBe(0);
    expect(status.stdout).toContain('row security for this user roles');
    await execute(url, 'ALTER TABLE alembic_version ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY');
    expect((await dbInit(['status'], url)).exitCode).toBe(17);
  });
});
