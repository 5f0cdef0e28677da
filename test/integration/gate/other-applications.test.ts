import { beforeAll, expect, it } from 'vitest';
import { loadHead } from '../../../src/schema/expected-schema.ts';
import { createDatabase, type TestDatabase, withClient } from '../../support/database.ts';
import { describePostgres } from '../../support/postgres-server.ts';
import { run } from '../../support/run.ts';
import { snapshot } from '../../support/snapshot.ts';

/** A table with a row. */
const table = (name: string, ...columns: readonly string[]): string =>
  `CREATE TABLE "${name}" (${['id int PRIMARY KEY', ...columns].join(', ')}); INSERT INTO "${name}" (id) VALUES (1);`;

/** Tables of which each refers to the one before, with rows. */
const chain = (names: readonly string[], reference: (to: string) => string): string =>
  names.map((name, index) => table(name, ...(index === 0 ? [] : [reference(names[index - 1] ?? '')]))).join('');

const shop = 'customers addresses orders order_lines products categories suppliers shipments returns stocks'.split(' ');

/** The tables by which databases of other applications are recognised. */
const foreign: Readonly<Record<string, string>> = {
  Nextcloud: `${table('oc_migrations', 'app text', 'version text')}${table('oc_accounts', 'uid text')}${table('oc_filecache', 'path text')}`,
  n8n: `${table('migrations', 'timestamp bigint', 'name text')}${table('settings', 'key text', 'value text')}${table('workflow_entity', 'nodes json')}`,
  Laravel: `${table('migrations', 'migration text', 'batch int')}${table('users', 'name text', 'email text', 'remember_token text')}`,
  TypeORM: `${table('typeorm_metadata', 'type text')}${table('user', 'email text')}`,
  Diesel: `CREATE TABLE __diesel_schema_migrations (version text, run_on timestamp);${table('ciphers', 'data text')}`,
  Grafana: `${table('migration_log', 'migration_id text', 'sql text')}${table('dashboard', 'title text')}${table('org', 'name text')}`,
  Kysely: `CREATE TABLE kysely_migration (name text, timestamp text);${table('people', 'name text')}`,
  Gitea: `${table('version', 'version bigint')}${table('repository', 'name text')}${table('user', 'lower_name text')}`,
  Odoo: `${table('ir_module_module', 'name text', 'latest_version text')}${chain(['res_company', 'res_users', 'res_partner', 'ir_ui_view', 'ir_model', 'ir_model_fields', 'sale_order'], (to) => `parent int REFERENCES ${to}`)}`,
  Rails: `CREATE TABLE schema_migrations (version text); CREATE TABLE ar_internal_metadata (key text);${table('issues', 'subject text')}`,
  Redmine: `CREATE TABLE schema_migrations (version text);${['users', 'projects', 'time_entries', 'settings', 'issues'].map((name) => table(name, 'name text')).join('')}`,
  Django: `${table('django_migrations', 'app text', 'name text')}${table('auth_user', 'username text')}`,
  GlitchTip: `${table('django_migrations', 'app text')}${table('projects_project', 'slug text')}${table('users_user', 'email text')}`,
  Mattermost: `CREATE TABLE db_migrations (version bigint, name text);${table('users', 'username text', 'email text')}${table('posts', 'message text')}`,
  Keycloak: `CREATE TABLE databasechangelog (id text, author text);${table('realm', 'name text')}${table('user_entity', 'email text')}`,
  'Wiki.js': `${table('migrations', 'name text', 'batch int')}${table('migrations_lock')}${table('users', 'email text')}${table('settings', 'key text')}${table('pages', 'path text')}`,
  Vaultwarden: `CREATE TABLE __diesel_schema_migrations (version text);${table('users', 'email text')}${table('ciphers', 'data text')}`,
  Immich: `${table('migrations', 'timestamp bigint', 'name text')}${table('assets', 'path text')}${table('users', 'email text')}`,
  Metabase: `CREATE TABLE databasechangelog (id text);${table('core_user', 'email text')}${table('report_card', 'name text')}`,
  'an Alembic application': `CREATE TABLE alembic_version (version_num varchar(32)); INSERT INTO alembic_version VALUES ('1a2b3c4d5e6f');${table('users', 'email text')}${table('dashboards', 'slug text')}`,
  'a database with a table of versions': `${table('app_version', 'number int')}${table('things', 'name text')}`,
  'ten tables with foreign keys': chain(shop, (to) => `parent int REFERENCES ${to}`),
  'ten tables that refer by names alone': chain(shop, (to) => `${to.replace(/ies$/, 'y').replace(/s$/, '')}_id int`),
  WordPress: ['wp_posts', 'wp_users', 'wp_comments', 'wp_terms', 'wp_termmeta', 'wp_links', 'wp_options']
    .map((name) =>
      table(name, 'post_id int', 'user_id int', 'term_id int', 'comment_id int', 'link_id int', 'option_id int'),
    )
    .join(''),
  'ten tables with the core among them': chain(
    [...shop, 'users', 'projects', 'settings'],
    (to) => `parent int REFERENCES ${to}`,
  ),
};

/** Databases that an automatic cleanup puts aside. */
const stray: Readonly<Record<string, string>> = {
  'a table of a test': table('author', 'name text'),
  'a few tables that refer to each other': chain(shop.slice(0, 4), (to) => `parent int REFERENCES ${to}`),
  'ten empty tables': chain(shop, (to) => `parent int REFERENCES ${to}`).replaceAll(/INSERT[^;]*;/g, ''),
  'many tables that have nothing to do with each other': shop.map((name) => table(name, 'note text')).join(''),
};

describePostgres("other applications' databases", () => {
  let database: TestDatabase;
  const dbInit = (...args: readonly string[]) => run(args, { env: { DATABASE_URL: database.url } });
  const become = (sql: string) =>
    withClient(database.url, async (client) => {
      await client.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
      await client.query(sql);
    });

  beforeAll(async () => {
    database = await createDatabase();
  });

  it.each(Object.entries(foreign))('of %s are foreign, and not changed', async (_, sql) => {
    await become(sql);
    const before = await snapshot(database.url);
    const { exitCode, all } = await dbInit('gate');
    expect(exitCode, all).toBe(15);
    expect(all).toContain('quarantine create --all --yes');
    expect(all).not.toMatch(/adopt|reset|volume rm/);
    expect(await snapshot(database.url)).toBe(before);
  });

  it.each(Object.entries(stray))('of %s count as stray tables, which would be put aside', async (_, sql) => {
    await become(sql);
    const { exitCode, stdout } = await dbInit('status', '--json');
    expect(exitCode, stdout).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ state: 'corrupted', action: 'quarantine and migrate' });
  });

  it('with foreign tables users and projects are neither adopted nor reset', async () => {
    await become(`${table('users', 'email text')}${table('projects', 'title text')}`);
    const { exitCode, stderr } = await dbInit('gate');
    expect(exitCode).toBe(12);
    expect(stderr).not.toMatch(/adopt --force|db-init reset|volume rm/);
    expect(stderr).toContain('create a separate database for TimeTracker');
  });

  it('are put aside by hand, with every row, before a new schema is made', async () => {
    await become(foreign['Nextcloud'] ?? '');
    const moved = await dbInit('quarantine', 'create', '--all', '--yes');
    expect(moved.exitCode, moved.all).toBe(0);
    const gate = await dbInit('gate');
    expect(gate.exitCode, gate.all).toBe(0);
    const [, name = ''] = /to (tt_quarantine_\w+)/.exec(moved.all) ?? [];
    await withClient(database.url, async (client) => {
      expect((await client.query(`SELECT * FROM ${name}.oc_filecache`)).rowCount).toBe(1);
      await client.query(`DROP SCHEMA ${name} CASCADE`);
    });
  });
});

describePostgres('a database after a cleanup by the application', () => {
  it.each<[string, (enums: readonly [string, readonly string[]][]) => string]>([
    [
      'its types',
      (enums) => enums.map(([name, labels]) => `CREATE TYPE ${name} AS ENUM ('${labels.join("', '")}');`).join(''),
    ],
    ['types with other labels', (enums) => enums.map(([name]) => `CREATE TYPE ${name} AS ENUM ('OTHER');`).join('')],
    ['types of another kind', ([first]) => `CREATE DOMAIN ${first?.[0] ?? ''} AS text; CREATE TYPE users AS (id int)`],
    [
      'sequences and functions',
      () => `CREATE SEQUENCE users_id_seq; CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'`,
    ],
  ])('is migrated by a fresh start, and the rest can be found by hand: %s', async (_, leave) => {
    const { enums } = await loadHead('postgresql');
    const database = await createDatabase();
    const dbInit = (...args: readonly string[]) => run(args, { env: { DATABASE_URL: database.url } });
    await withClient(database.url, (client) => client.query(leave(Object.entries(enums))));
    const byHand = await dbInit('quarantine', 'create', '--yes');
    expect(byHand.all).toContain('moved');
    const [, name = ''] = /quarantine restore (\w+)/.exec(byHand.all) ?? [];
    expect((await dbInit('quarantine', 'restore', name)).exitCode).toBe(0);
    const plan = await dbInit('plan', '--json');
    const gate = await dbInit('gate');
    expect(gate.exitCode, gate.all).toBe(0);
    expect(plan.exitCode).toBe(0);
    expect((await dbInit('verify')).exitCode).toBe(0);
  });
});
