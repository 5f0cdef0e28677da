import { expect, it } from 'vitest';
import { admin, createDatabase, withClient } from '../../support/database.ts';
import { state } from '../../support/fixtures.ts';
import { describePostgres } from '../../support/postgres-server.ts';
import { restoredDatabase } from '../../support/templates.ts';
import { snapshot } from '../../support/snapshot.ts';
import { held, only, quarantine } from './quarantines.ts';
import { dbInit } from '../upgrade/release-database.ts';

const longName = 'ä'.repeat(31) + 'x';

/** One object of each kind in schema public, with names and dependencies that make moving hard. */
const everyKind = `
  CREATE TYPE "Stimmung'" AS ENUM ('gut', 'schlecht');
  CREATE DOMAIN "po""sitive" AS integer CHECK (VALUE > 0) CHECK (VALUE < 1000);
  CREATE TYPE address AS (street text, mood "Stimmung'");
  CREATE TYPE span AS RANGE (subtype = integer);
  CREATE SEQUENCE "Free Seq" START 41;
  CREATE TABLE "${longName}" (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "select" "po""sitive", home address);
  CREATE TABLE child (id serial PRIMARY KEY, parent bigint NOT NULL REFERENCES "${longName}" ON DELETE CASCADE,
    number integer DEFAULT nextval('"Free Seq"'), spans span, note text, CONSTRAINT "Ch?eck" CHECK (number > 0));
  CREATE INDEX "child note" ON child (lower(note)) WHERE number > 1;
  CREATE TABLE _child (id integer);
  CREATE TABLE nothing ();
  CREATE TABLE heir (extra integer) INHERITS (child);
  CREATE TABLE log (at date NOT NULL, area integer NOT NULL, PRIMARY KEY (at, area)) PARTITION BY RANGE (at);
  CREATE TABLE log_2025 PARTITION OF log FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY LIST (area);
  CREATE TABLE log_2025_1 PARTITION OF log_2025 FOR VALUES IN (1);
  CREATE TABLE log_rest PARTITION OF log DEFAULT;
  CREATE VIEW "a View" AS SELECT c.id, c.note, (p.home).mood FROM child c JOIN "${longName}" p ON p.id = c.parent;
  CREATE VIEW "View of a View" AS SELECT count(*) FROM "a View";
  CREATE MATERIALIZED VIEW stored AS SELECT * FROM "View of a View";
  CREATE UNIQUE INDEX ON stored (count);
  CREATE MATERIALIZED VIEW empty AS SELECT 1 AS one WITH NO DATA;
  CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.note := upper(NEW.note); RETURN NEW; END';
  CREATE TRIGGER shouting BEFORE INSERT ON child FOR EACH ROW EXECUTE FUNCTION shout();
  CREATE STATISTICS related ON parent, number FROM child;
  CREATE FOREIGN DATA WRAPPER nowhere;
  CREATE SERVER far FOREIGN DATA WRAPPER nowhere;
  CREATE FOREIGN TABLE "far Table" (id integer) SERVER far;
  ALTER TABLE child ENABLE ROW LEVEL SECURITY;
  CREATE POLICY everybody ON child USING (note IN (SELECT note FROM heir));
  INSERT INTO "${longName}" ("select", home) VALUES (7, ('Gasse', 'gut'));
  INSERT INTO child (parent, note, spans) VALUES (1, 'first', '[1,5)'), (1, 'second', NULL);
  INSERT INTO log VALUES ('2025-02-03', 1), ('1999-01-01', 2);
  REFRESH MATERIALIZED VIEW stored`;

describePostgres('quarantine (postgresql)', () => {
  const databaseWith = async (sql: string): Promise<string> => {
    const { url } = await createDatabase();
    await withClient(url, (client) => client.query(sql));
    return url;
  };

  it('puts the polluted fixture aside, lists its contents, and brings everything back unchanged', async () => {
    const { url } = await restoredDatabase(state('polluted'));
    const before = await snapshot(url);

    expect(await quarantine(url, 'create', '--yes')).toMatchObject({ exitCode: 0 });
    const entry = only(await held(url));
    expect(entry).toMatchObject({ state: 'complete', relations: 12, rows: 18 });
    expect(entry.contents).toContainEqual(expect.objectContaining({ name: 'author', kind: 'table', rows: 3 }));
    expect(await dbInit(['status'], url)).toMatchObject({ exitCode: 0 });

    const away = await snapshot(url);
    expect(await quarantine(url, 'restore', entry.name, '--dry-run')).toMatchObject({ exitCode: 0 });
    expect(await snapshot(url)).toBe(away);

    expect(await quarantine(url, 'restore', entry.name)).toMatchObject({ exitCode: 0 });
    expect(await snapshot(url)).toBe(before);
    expect(await held(url)).toEqual([]);
  });

  it('moves every kind of object there and back, with any name', async () => {
    const url = await databaseWith(everyKind);
    const before = await snapshot(url);
    const cleaned = await dbInit(['gate'], url);
    expect(cleaned).toMatchObject({ exitCode: 0 });
    expect(cleaned.stdout).toContain('1 function stayed in schema public');

    const { name } = only(await held(url));
    expect(cleaned.stdout).toContain(`db-init quarantine restore ${name}`);
    expect(await quarantine(url, 'restore', name)).toMatchObject({ exitCode: 0 });
    expect(await dbInit(['verify'], url)).toMatchObject({ exitCode: 0 });

    // without the application's schema, the first objects are left
    const away = await quarantine(url, 'create', '--all', '--yes');
    expect(away).toMatchObject({ exitCode: 0 });
    await withClient(url, async (client) => {
      const { rows } = await client.query<{ name: string }>(
        `SELECT nspname || '.' || relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
         WHERE nspname = 'public' AND relkind <> 'i'`,
      );
      expect(rows).toEqual([]);
    });
    expect(before).toContain(longName);
  });

  it('brings every kind of object back unchanged', async () => {
    const url = await databaseWith(everyKind);
    const before = await snapshot(url);
    await quarantine(url, 'create', '--all', '--yes');
    const { name } = only(await held(url));
    expect(await quarantine(url, 'restore', name)).toMatchObject({ exitCode: 0 });
    expect(await snapshot(url)).toBe(before);
  });

  it('leaves the tables of the application alone without --all', async () => {
    const { url } = await createDatabase();
    await dbInit(['gate'], url);
    await withClient(url, (client) => client.query("CREATE TABLE stray (id serial); CREATE TYPE odd AS ENUM ('a')"));
    expect(await quarantine(url, 'create', '--yes')).toMatchObject({ exitCode: 0 });
    const { contents } = only(await held(url));
    expect(contents.map(({ name }) => name)).toEqual(['odd', 'stray']);
    expect(await dbInit(['verify'], url)).toMatchObject({ exitCode: 0 });
    expect((await quarantine(url, 'create', '--yes')).stdout).toContain('nothing to move');
  });

  it('starts a partial migration over with nothing lost', async () => {
    const { url } = await restoredDatabase(state('partial-with-tables'));
    const before = await snapshot(url);
    const refused = await dbInit(['gate'], url);
    expect(refused).toMatchObject({ exitCode: 11 });
    const offered = [...refused.stderr.matchAll(/db-init (quarantine .*)$/gm)].map(([, command]) => command);
    expect(offered).toEqual(['quarantine create --all --yes']);

    expect(await quarantine(url, 'create', '--all', '--yes')).toMatchObject({ exitCode: 0 });
    expect(await dbInit(['gate'], url)).toMatchObject({ exitCode: 0 });
    const { name } = only(await held(url));

    // put the new schema aside as well, and bring the old one back unchanged
    await quarantine(url, 'create', '--all', '--yes');
    expect(await quarantine(url, 'restore', name)).toMatchObject({ exitCode: 0 });
    const [{ name: newer } = { name: '' }] = await held(url);
    expect(await quarantine(url, 'purge', newer, '--yes')).toMatchObject({ exitCode: 0 });
    expect(await snapshot(url)).toBe(before);
  });

  it('refuses to bring back objects whose names are taken, and lists them', async () => {
    const url = await databaseWith('CREATE TABLE stray (id serial PRIMARY KEY); CREATE TABLE other (id integer)');
    await quarantine(url, 'create', '--yes');
    await withClient(url, (client) =>
      client.query('CREATE TYPE stray_pkey AS ENUM (); CREATE VIEW stray_id_seq AS SELECT 1'),
    );
    const { name } = only(await held(url));
    const before = await snapshot(url);
    for (const options of [[], ['--dry-run']]) {
      const refused = await quarantine(url, 'restore', name, ...options);
      expect(refused).toMatchObject({ exitCode: 31 });
      expect(refused.stderr).toContain('Other objects have these names now: stray_id_seq.');
    }
    expect(await snapshot(url)).toBe(before);
  });

  it('deletes only after consent, and nothing that outside objects depend on', async () => {
    const url = await databaseWith(everyKind);
    await quarantine(url, 'create', '--all', '--yes');
    const { name } = only(await held(url));
    await withClient(url, (client) =>
      client.query(`
        CREATE VIEW public.onlooker AS SELECT note FROM ${name}.child;
        CREATE TABLE public.pupil (mood ${name}."Stimmung'", teacher integer REFERENCES ${name}.child);
        CREATE TABLE public.late PARTITION OF ${name}.log FOR VALUES FROM ('2030-01-01') TO ('2031-01-01')`),
    );
    const refused = await quarantine(url, 'purge', name, '--yes');
    expect(refused).toMatchObject({ exitCode: 10 });
    const text = refused.stderr.replaceAll(/\s+/g, ' ');
    for (const dependent of ['view onlooker', 'table pupil', 'table late']) expect(text).toContain(dependent);
    expect(text).not.toContain('function');

    await withClient(url, (client) => client.query('DROP VIEW onlooker; DROP TABLE pupil, late'));
    expect(await quarantine(url, 'purge', name)).toMatchObject({ exitCode: 2 });
    expect(await held(url)).toHaveLength(1);
    expect(await quarantine(url, 'purge', name, '--yes')).toMatchObject({ exitCode: 0 });
    expect(await held(url)).toEqual([]);
    expect(await quarantine(url, 'purge', name, '--yes')).toMatchObject({ exitCode: 2 });
  });

  it("moves another application's tables only with --all", async () => {
    const url = await databaseWith('CREATE TABLE django_migrations (id integer); CREATE TABLE shop (id integer)');
    expect(await quarantine(url, 'create', '--yes')).toMatchObject({ exitCode: 15 });
    const asked = await quarantine(url, 'create', '--all');
    expect(asked).toMatchObject({ exitCode: 2 });
    expect(asked.stderr.replaceAll(/\s+/g, ' ')).toContain('public.django_migrations is a migration ledger');
    expect(await held(url)).toEqual([]);
    expect(await quarantine(url, 'create', '--all', '--yes')).toMatchObject({ exitCode: 0 });
    expect(only(await held(url))).toMatchObject({ relations: 2 });
  });

  it('moves nothing while other sessions are connected, and names them', async () => {
    const url = await databaseWith('CREATE TABLE stray (id integer)');
    const refused = await withClient(url, async (client) => {
      await client.query("SET application_name TO 'the application'");
      return quarantine(url, 'create', '--yes');
    });
    expect(refused).toMatchObject({ exitCode: 10 });
    expect(refused.stderr).toContain('the application');
    expect(await held(url)).toEqual([]);
  });

  it('moves nothing if one of the objects has another owner', async () => {
    const url = await databaseWith("CREATE TABLE mine (id integer); CREATE TYPE theirs AS ENUM ('a')");
    const { pathname } = new URL(url);
    const role = `dbi_role_${pathname.slice(-8)}`;
    await admin(`CREATE ROLE ${role} LOGIN PASSWORD 'pw'`);
    try {
      await withClient(url, (client) =>
        client.query(`ALTER TABLE mine OWNER TO ${role}; GRANT CREATE ON SCHEMA public TO ${role};
                      GRANT CREATE ON DATABASE ${pathname.slice(1)} TO ${role}`),
      );
      const theirs = Object.assign(new URL(url), { username: role, password: 'pw' }).href;
      for (const command of [['gate'], ['quarantine', 'create', '--yes']]) {
        const refused = await dbInit(command, theirs);
        expect(refused).toMatchObject({ exitCode: 4 });
        expect(refused.stderr).toContain(`ALTER TYPE public.theirs OWNER TO ${role};`);
      }
      expect(await held(url)).toEqual([]);
    } finally {
      await withClient(url, (client) => client.query(`DROP OWNED BY ${role}`));
      await admin(`DROP ROLE ${role}`);
    }
  });

  it('continues an interrupted quarantine in the same schema, in both directions', async () => {
    const url = await databaseWith('CREATE TABLE a (id integer); CREATE TABLE b (id integer)');
    await quarantine(url, 'create', '--yes');
    const { name } = only(await held(url));
    const cutOff = `COMMENT ON SCHEMA ${name} IS '{"by":"db-init","state":"unfinished","at":"2026-01-02T03:04:05Z","why":"","relations":1,"rows":0}'`;
    await withClient(url, (client) => client.query(`ALTER TABLE ${name}.b SET SCHEMA public; ${cutOff}`));
    expect(only(await held(url))).toMatchObject({ state: 'unfinished', relations: 1 });

    expect(await dbInit(['gate'], url)).toMatchObject({ exitCode: 0 });
    expect(only(await held(url))).toMatchObject({
      name,
      state: 'complete',
      since: '2026-01-02T03:04:05Z',
      relations: 2,
    });

    await withClient(url, (client) =>
      client.query(
        `DROP SCHEMA public CASCADE; CREATE SCHEMA public; ALTER TABLE ${name}.a SET SCHEMA public; ${cutOff}`,
      ),
    );
    expect(await quarantine(url, 'restore', name)).toMatchObject({ exitCode: 0 });
    expect(await held(url)).toEqual([]);
    const tables = await withClient(url, async (client) => {
      const { rows } = await client.query<Record<string, unknown>>(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
      );
      return rows;
    });
    expect(tables).toEqual([{ tablename: 'a' }, { tablename: 'b' }]);
  });

  it('leaves objects of extensions alone, and other schemas with similar names', async () => {
    const url = await databaseWith(
      `CREATE TABLE stray (id integer); CREATE SCHEMA tt_quarantine_mine; CREATE TABLE tt_quarantine_mine.t ();`,
    );
    const extensions = (): Promise<unknown[]> =>
      withClient(url, async (client) => {
        const { rows } = await client.query<Record<string, unknown>>(
          'SELECT e.extname, n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace ORDER BY 1',
        );
        return rows;
      });
    await withClient(url, async (client) => {
      const { rowCount } = await client.query("SELECT FROM pg_available_extensions WHERE name = 'pg_stat_statements'");
      if (rowCount === 1) await client.query('CREATE EXTENSION pg_stat_statements SCHEMA public');
    });
    const before = await extensions();
    expect(await quarantine(url, 'create', '--all', '--yes')).toMatchObject({ exitCode: 0 });
    expect(only(await held(url)).contents.map(({ name }) => name)).toEqual(['stray']);
    expect(await extensions()).toEqual(before);
    expect(await quarantine(url, 'purge', 'tt_quarantine_mine', '--yes')).toMatchObject({ exitCode: 2 });
  });
});
