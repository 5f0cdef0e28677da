import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mapOf, parseYaml, type YamlMap } from '../../../src/compose/yaml.ts';
import { run } from '../../support/run.ts';

const root = join(import.meta.dirname, '../../..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const fixture = (name: string): string => join(root, `test/fixtures/compose/${name}.yml`);
const settings = [...read('.env.example').matchAll(/^#([A-Z_]+)=/gm)].map(([, name = '']) => name);

/** What `compose` prints of files, as it is and parsed. */
async function overrideOf(args: readonly string[], input?: string) {
  const { exitCode, stdout, stderr } = await run(['compose', ...args], input === undefined ? {} : { input });
  expect(stderr).toBe('');
  expect(exitCode).toBe(0);
  const file = mapOf(parseYaml(stdout)[0]);
  const part = (service: string, key: string): YamlMap => mapOf(mapOf(mapOf(file['services'])[service])[key]);
  return {
    text: stdout,
    dbInit: mapOf(mapOf(file['services'])['db-init']),
    part,
    volumes: Object.keys(mapOf(file['volumes'])),
  };
}

const attachments = '/app/uploads/project_attachments';
const gated = { 'db-init': { condition: 'service_completed_successfully' } };
const after = (service: string) => ({ [service]: { condition: 'service_healthy' } });

describe('compose', () => {
  it('prints the drop-in of the README and the examples for the usual file, from standard input', async () => {
    const { text } = await overrideOf([], read('test/fixtures/compose/usual.yml'));
    expect(`${text}\n`).toBe(read('examples/compose-drop-in.yml'));
    expect(read('README.md')).toContain(text);
  });

  it('hands on every setting, and lets the application say some of them', async () => {
    const { part } = await overrideOf([fixture('usual')]);
    const environment = part('db-init', 'environment');
    const address = /^(?:DATABASE_URL|POSTGRES_|PG(?:HOST|PORT|DATABASE|USER|PASSWORD|TARGETSESSIONATTRS)$)/;
    for (const name of settings.filter((setting) => !address.test(setting))) {
      expect(environment[name], name).toMatch(new RegExp(`^\\$\\{${name}:-\\w*\\}$`));
    }
    expect(environment).toMatchObject({
      DATABASE_URL: 'postgresql+psycopg2://timetracker:timetracker@db:5432/timetracker',
      ADMIN_USERNAMES: '${ADMIN_USERNAMES:-admin}',
      TT_ALLOW_NEWER_SCHEMA: '${TT_ALLOW_NEWER_SCHEMA:-true}',
      TZ: '${TZ:-Europe/Brussels}',
    });
  });

  it('takes volumes of any names, and a name of its own for one that is taken', async () => {
    const { dbInit, part, volumes } = await overrideOf([fixture('other-names')]);
    const own = `db_init_app_attachments:${attachments}`;
    expect(dbInit['volumes']).toEqual(['app_data_remote:/data', 'app_uploads_remote:/app/app/static/uploads', own]);
    expect(volumes).toEqual(['db_init_app_attachments']);
    // the release stays: no newer schema is let through
    expect(part('db-init', 'environment')).toMatchObject({
      DATABASE_URL: 'postgresql+psycopg2://timetracker:${POSTGRES_PASSWORD:?set it}@db:5432/timetracker',
      TT_ALLOW_NEWER_SCHEMA: '${TT_ALLOW_NEWER_SCHEMA:-}',
    });
    expect(part('db', 'healthcheck')).toEqual({});
  });

  it('reads several files as one, and names them for COMPOSE_FILE', async () => {
    const { text, part } = await overrideOf([fixture('usual'), fixture('https')]);
    const files = `${fixture('usual')}:${fixture('https')}:docker-compose.override.yml`;
    expect(text).toContain(`#   COMPOSE_FILE=${files}\n`);
    expect(part('app', 'depends_on')).toEqual(gated);
    expect([part('nginx', 'depends_on'), part('analytics', 'environment')]).toEqual([{}, {}]);
  });

  it('takes over folders of the machine, their user, networks, and names of the services', async () => {
    const { text, dbInit, part, volumes } = await overrideOf([fixture('nas')]);
    expect(dbInit).toMatchObject({ user: '1026:100', networks: ['backend', 'proxy'], depends_on: after('database') });
    expect(dbInit['volumes']).toContain('/volume1/docker/timetracker/data:/data');
    expect(part('timetracker', 'depends_on')).toEqual(gated);
    expect(part('timetracker', 'environment')).toEqual({ TT_SKIP_DB_CLEANUP: 'true' });
    // all uploads are on a folder already
    expect([volumes, part('timetracker', 'volumes')]).toEqual([[], {}]);
    expect(part('db-init', 'environment')).toMatchObject({
      TT_SKIP_DB_CLEANUP: 'false',
      TT_APP_SERVICE: 'timetracker',
      TT_DB_SERVICE: 'database',
    });
    expect(part('database', 'healthcheck')).toMatchObject({ retries: '60' });
    expect(text).not.toContain('QUESTION');
  });

  it('stands before an application with SQLite, and waits for no server', async () => {
    const { dbInit, part } = await overrideOf([fixture('sqlite')]);
    expect(dbInit).toMatchObject({ user: '0:0', volumes: ['data:/data', `app_attachments:${attachments}`] });
    expect(dbInit['depends_on']).toBeUndefined();
    expect(part('db-init', 'environment')).toMatchObject({
      DATABASE_URL: 'sqlite:////data/timetracker.db',
      BACKUP_FOLDER: '/data/uploads/backups',
    });
  });

  it('says what it cannot tell: whose the folders are, and that the server is elsewhere', async () => {
    const { text, dbInit, part } = await overrideOf([fixture('external')]);
    expect(dbInit).toMatchObject({ extra_hosts: ['db.example.org:192.0.2.7'] });
    expect(dbInit['depends_on']).toBeUndefined();
    expect(part('web', 'depends_on')).toEqual(gated);
    expect(text).toMatch(/# QUESTION: to whom do the folders below belong\?.*\n.*\n {4}volumes:/);
    expect(text).toContain('No service of the files is called db.example.org');
  });

  it('leaves address and settings to an env file and to secrets', async () => {
    const { text, dbInit, part } = await overrideOf([fixture('secrets')]);
    expect(dbInit).toMatchObject({
      env_file: [{ path: 'app.env', required: false }],
      environment: { SETTINGS_ENCRYPTION_KEY_FILE: '/run/secrets/settings_key' },
      secrets: ['settings_key'],
      depends_on: after('postgres'),
    });
    expect(Object.keys(part('db-init', 'environment'))).toHaveLength(1);
    expect(text).toContain('# QUESTION: is the service postgres its server? If not, change depends_on.');
  });

  it('reads anchors and extends, and stands before every process of the application', async () => {
    const { dbInit, part } = await overrideOf([fixture('anchors')]);
    expect(part('db-init', 'environment')['DATABASE_URL']).toMatch(/^postgresql\+psycopg2:\/\/timetracker:\$\{DB_P/);
    expect(dbInit['volumes']).toContain('app_data:/data');
    expect(dbInit['profiles']).toBeUndefined();
    for (const service of ['app', 'worker']) expect(part(service, 'depends_on')).toEqual(gated);
  });

  it('stands aside where it was added already', async () => {
    const once = await overrideOf([fixture('usual')]);
    const again = await overrideOf([fixture('usual'), join(root, 'examples/compose-drop-in.yml')]);
    expect(again.dbInit['environment']).toEqual(once.dbInit['environment']);
    expect(again.volumes).toEqual([]);
    expect(again.dbInit['volumes']).toEqual(once.dbInit['volumes']);
  });

  it.each([
    ['services:\n  one: {image: a}\n  two: {image: b}\n', 'Which service is TimeTracker? There are: one, two.'],
    [
      'services:\n  a: {image: timetracker:1}\n  b: {image: timetracker:2}\n',
      'Which service is TimeTracker? These look alike: a, b.',
    ],
    ['a: [', 'standard input is not YAML: '],
    ['just words', 'standard input has no services.'],
    ['', 'standard input has no services.'],
  ])('refuses %j, and says why', async (input, message) => {
    const { exitCode, stdout, stderr } = await run(['compose'], { input });
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr.replaceAll(/\s+/g, ' ')).toContain(message);
  });

  it('takes the name of the service from its owner', async () => {
    const input = 'services:\n  one: {image: a}\n  two: {image: b}\n';
    const { part } = await overrideOf(['--service', 'two'], input);
    expect(part('two', 'depends_on')).toEqual(gated);
  });
});
