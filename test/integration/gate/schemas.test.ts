import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { releaseGraph } from '../../../src/migration/revisions.ts';
import { loadHead } from '../../../src/schema/expected-schema.ts';
import { atEnd } from '../../support/cleanup.ts';
import { admin, createDatabase, type TestDatabase, withClient } from '../../support/database.ts';
import { describePostgres } from '../../support/postgres-server.ts';
import { run } from '../../support/run.ts';
import { snapshot } from '../../support/snapshot.ts';
import { archivePath, type Installation, install } from '../restore/restores.ts';

const [head = ''] = releaseGraph.heads;

async function sql(database: TestDatabase, ...statements: readonly string[]): Promise<void> {
  await withClient(database.url, async (client) => {
    for (const statement of statements) await client.query(statement);
  });
}

async function column(database: TestDatabase, query: string): Promise<readonly unknown[]> {
  return withClient(database.url, async (client) => {
    const { rows } = await client.query<unknown[]>({ text: query, rowMode: 'array' });
    return rows.map(([value]) => value);
  });
}

/** The schemas of the database with the number of relations in them. */
const places = (database: TestDatabase): Promise<readonly unknown[]> =>
  column(
    database,
    `SELECT nspname || ': ' || count(*) FILTER (WHERE relkind = 'r') FROM pg_namespace n
     LEFT JOIN pg_class c ON c.relnamespace = n.oid WHERE nspname !~ '^(pg_|information_schema)'
     GROUP BY nspname HAVING count(c.oid) > 0 ORDER BY 1`,
  );

const withoutNumbers = (found: readonly unknown[]): readonly string[] =>
  found.map((place) =>
    String(place)
      .replace(/: \d+$/, '')
      .replace(/_\d{8}.*$/, '_…'),
  );

/** A role that may log in, and may not create databases. */
async function createRole(database: TestDatabase): Promise<{ readonly role: string; readonly database: TestDatabase }> {
  const role = `dbi_role_${randomBytes(4).toString('hex')}`;
  await admin(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
  atEnd(() => admin(`DROP ROLE ${role}`));
  atEnd(() => database.drop());
  await admin(`GRANT CREATE ON DATABASE ${database.name} TO ${role}`);
  const url = new URL(database.url);
  url.username = role;
  url.password = 'secret';
  return { role, database: { ...database, url: url.href } };
}

function withOptions(database: TestDatabase, options: string): TestDatabase {
  return { ...database, url: `${database.url}?options=${options}` };
}

/** The settings that make a session use the schema `Time Tracker`. */
const schema = 'Time Tracker';
const ways: readonly (readonly [
  string,
  (empty: TestDatabase) => Promise<{ database: TestDatabase; env?: Record<string, string> }>,
])[] = [
  [
    'a role with its name',
    async (empty) => {
      const { role, database } = await createRole(empty);
      await sql(empty, `ALTER SCHEMA "${schema}" RENAME TO ${role}`, `ALTER SCHEMA ${role} OWNER TO ${role}`);
      return { database };
    },
  ],
  [
    'search_path of the role',
    async (empty) => {
      const { role, database } = await createRole(empty);
      await sql(
        empty,
        `ALTER SCHEMA "${schema}" OWNER TO ${role}`,
        `ALTER ROLE ${role} SET search_path TO "${schema}"`,
      );
      return { database };
    },
  ],
  [
    'search_path of the database',
    async (empty) => {
      await admin(`ALTER DATABASE ${empty.name} SET search_path TO missing, "${schema}", public`);
      return { database: empty };
    },
  ],
  [
    'options in the URL',
    async (empty) => ({ database: withOptions(empty, '-csearch_path%3D%22Time%5C%20Tracker%22') }),
  ],
  ['PGOPTIONS', async (empty) => ({ database: empty, env: { PGOPTIONS: `-c search_path="Time\\ Tracker",public` } })],
];

async function rowsIn(database: TestDatabase, where: string, table: string): Promise<unknown> {
  return (await column(database, `SELECT count(*)::int FROM "${where}"."${table}"`))[0];
}

describePostgres('TimeTracker in a schema of its own', () => {
  it.each(ways)('is created and verified in the schema of %s, and nothing is made in public', async (_, prepare) => {
    const empty = await createDatabase();
    await sql(empty, `CREATE SCHEMA "${schema}"`, 'CREATE TABLE public.of_mine (id int)');
    const { database, env = {} } = await prepare(empty);
    const place = await install('postgresql', { database, env });
    const gate = await place.run();
    expect(gate.exitCode, gate.all).toBe(0);
    const [home, ...others] = (await places(empty)).filter((found) => found !== 'public: 1');
    expect(home).toMatch(/: \d{3}$/);
    expect(others).toEqual([]);
    expect((await place.run('verify')).exitCode).toBe(0);
    expect((await place.run()).all).toContain('nothing to do');
  });

  describe('for a role that may not create databases', () => {
    let place: Installation;
    let empty: TestDatabase;

    beforeAll(async () => {
      empty = await createDatabase();
      const { role, database } = await createRole(empty);
      await sql(
        empty,
        `CREATE SCHEMA "${schema}" AUTHORIZATION ${role}`,
        `ALTER ROLE ${role} SET search_path TO "${schema}"`,
        'CREATE TABLE public.of_mine (id int)',
        `CREATE TABLE "${schema}".stray (id int); INSERT INTO "${schema}".stray VALUES (1)`,
        `ALTER TABLE "${schema}".stray OWNER TO ${role}`,
      );
      place = await install('postgresql', { database });
    });

    it('is cleaned, repaired, adopted and reset there', async () => {
      const cleaned = await place.must();
      const [, quarantine = ''] = /quarantine restore (\S+)/.exec(cleaned.all) ?? [];
      expect(withoutNumbers(await places(empty))).toEqual([schema, 'public', 'tt_quarantine_…']);
      await place.must('quarantine', 'restore', quarantine);
      expect(await column(empty, `SELECT id FROM "${schema}".stray`)).toEqual([1]);
      await place.must('quarantine', 'create', '--yes');

      const [index = ''] = Object.keys((await loadHead('postgresql')).tables['users']?.indexes ?? {});
      await sql(empty, `DROP INDEX "${schema}".${index}; DELETE FROM "${schema}".alembic_version`);
      const adopted = await place.must();
      expect(adopted.all).toContain('no version information');
      expect(await column(empty, `SELECT version_num FROM "${schema}".alembic_version`)).toEqual([head]);
      await sql(empty, `ALTER TABLE "${schema}".users DROP COLUMN full_name`);
      expect((await place.must()).all).toContain('added the missing column users.full_name');

      await sql(empty, `DELETE FROM "${schema}".role_permissions`);
      await place.must('reset', '--yes-delete-all-data', empty.name, '--no-backup');
      expect(await rowsIn(empty, schema, 'role_permissions')).not.toBe(0);
      expect(await column(empty, 'SELECT count(*)::int FROM public.of_mine')).toEqual([0]);
    });

    it("is backed up and restored there, the application's own archive of schema public included", async () => {
      const mark = (number: number) => `INSERT INTO "${schema}".mark VALUES (${number})`;
      await sql(place.database, 'CREATE TABLE mark (number int)', mark(1));
      const made = await place.must('backup', 'create');
      const [archive = ''] = /\/\S+\.zip/.exec(made.all) ?? [];
      await sql(empty, mark(2));
      await place.must('restore', archive, '--yes');
      expect(await rowsIn(empty, schema, 'mark')).toBe(1);
      await place.must('restore', '--undo', '--yes');
      expect(await rowsIn(empty, schema, 'mark')).toBe(2);

      await sql(empty, `ALTER SCHEMA public OWNER TO ${new URL(place.database.url).username}`);
      await place.must('restore', archivePath('pg-v5.10.0-pgdump15.zip'), '--yes');
      expect(await rowsIn(empty, schema, 'users')).toBe(16);
      expect(await column(empty, 'SELECT count(*)::int FROM public.of_mine')).toEqual([0]);
      expect((await place.run('verify')).exitCode).toBe(0);
      await place.must('restore', '--undo', '--yes');
      expect(await rowsIn(empty, schema, 'mark')).toBe(2);
    });
  });

  it('is restored as a whole database, from one schema into another', async () => {
    const empty = await createDatabase();
    await sql(empty, `CREATE SCHEMA tt`);
    const inSchema = await install('postgresql', { database: withOptions(empty, '-csearch_path%3Dtt') });
    await inSchema.must();
    await inSchema.must('restore', archivePath('pg-v5.10.0-pgdump15.zip'), '--yes');
    expect(await rowsIn(empty, 'tt', 'users')).toBe(16);
    expect((await inSchema.run('verify')).exitCode).toBe(0);
    const made = await inSchema.must('backup', 'create');
    const [archive = ''] = /\/\S+\.zip/.exec(made.all) ?? [];

    const inPublic = await install('postgresql');
    await inPublic.must();
    await inPublic.must('restore', archive, '--yes');
    expect(await rowsIn(inPublic.database, 'public', 'users')).toBe(16);
    expect((await inPublic.run('verify')).exitCode).toBe(0);
  });

  it('is not created a second time in the schema of another search_path', async () => {
    const database = await createDatabase();
    const first = await install('postgresql', { database });
    await first.must();
    await sql(database, 'CREATE SCHEMA tt', 'CREATE TABLE tt.stray (id int)');
    const before = await snapshot(database.url);
    const cases = [
      ['-csearch_path%3Dtt,public', 'schema tt'],
      ['-csearch_path%3Dnowhere', 'no schema'],
    ] as const;
    for (const [options, place] of cases) {
      const { env } = await install('postgresql', { database: withOptions(database, options) });
      const gate = await run(['gate'], { env });
      expect(gate.exitCode, gate.all).toBe(17);
      expect(gate.stderr).toContain('schema public');
      expect(gate.stderr).toContain(place);
      for (const command of ['status', 'plan', 'verify']) expect((await run([command], { env })).exitCode).toBe(17);
      const json = await run(['status', '--json'], { env });
      expect(JSON.parse(json.stdout)).toMatchObject({ state: 'elsewhere', exitCode: 17 });
    }
    expect(await snapshot(database.url)).toBe(before);

    // a schema that the search path names first, with a table that would hide the application's
    await sql(database, 'DROP TABLE tt.stray', 'CREATE TABLE tt.users (LIKE public.users)');
    const hidden = await install('postgresql', { database: withOptions(database, '-csearch_path%3Dtt,public') });
    for (const command of ['status', 'plan', 'verify', 'gate']) {
      const { exitCode, all } = await run([command], { env: hidden.env });
      expect(exitCode, all).toBe(17);
      expect(all.replaceAll(/\s+/g, ' ')).toContain(
        'schema tt first, so its tables hide the others of the same name: users',
      );
    }

    // tables of another application in public are no obstacle
    const shared = await createDatabase();
    await sql(shared, 'CREATE TABLE users (id int)', 'CREATE SCHEMA tt');
    const beside = await install('postgresql', { database: withOptions(shared, '-csearch_path%3Dtt') });
    await beside.must();
    expect(await rowsIn(shared, 'public', 'users')).toBe(0);
  });
});
