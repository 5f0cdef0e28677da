import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mapOf, parseYaml, type YamlMap } from '../../../src/compose/yaml.ts';
import { run } from '../../support/run.ts';

const root = join(import.meta.dirname, '../../..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const fixture = (name: string): string => join(root, `test/fixtures/compose/${name}.yml`);
const settings = [...read('.env.example').matchAll(/^#([A-Z_]+)=/gm)].map(([, name = '']) => name);

/** The output of `compose` for files, as text and parsed. */
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

  it('passes every setting on, and copies some of them from the application', async () => {
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

  it('uses volumes of any names, and another name of its own if that exists', async () => {
    const { dbInit, part, volumes } = await overrideOf([fixture('other-names')]);
    const own = `db_init_app_attachments:${attachments}`;
    expect(dbInit['volumes']).toEqual(['app_data_remote:/data', 'app_uploads_remote:/app/app/static/uploads', own]);
    expect(volumes).toEqual(['db_init_app_attachments']);
    // the tag is fixed, so a newer schema is not accepted
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

  it('copies folders of the host, their user, networks, and names of the services', async () => {
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

  it('gates one of two installations, and leaves the other one as it is', async () => {
    const { exitCode, stderr } = await run(['compose', fixture('two-databases')]);
    expect(exitCode).toBe(2);
    expect(stderr.replaceAll(/\s+/g, ' ')).toContain('These look alike: timetracker, timetracker-test.');
    const { text, part } = await overrideOf([fixture('two-databases'), '--service', 'timetracker']);
    expect(part('db-init', 'environment')).toMatchObject({ TT_APP_SERVICE: 'timetracker worker' });
    expect([part('worker', 'depends_on'), part('timetracker-test', 'depends_on')]).toEqual([gated, {}]);
    expect(text).toContain('# timetracker-test: this looks like TimeTracker with another database');
    expect(text).not.toContain('as well?');
  });

  it('does not ask about the server, and names only the env files that were not read', async () => {
    const { text } = await overrideOf([fixture('environment/stack')]);
    expect(text).toContain('db-init has the same. local.env could not be read');
    expect(text).not.toContain('as well?');
  });

  it('works for an application with SQLite, without a server to wait for', async () => {
    const { dbInit, part } = await overrideOf([fixture('sqlite')]);
    expect(dbInit).toMatchObject({ user: '0:0', volumes: ['data:/data', `app_attachments:${attachments}`] });
    expect(dbInit['depends_on']).toBeUndefined();
    expect(part('db-init', 'environment')).toMatchObject({
      DATABASE_URL: 'sqlite:////data/timetracker.db',
      BACKUP_FOLDER: '/data/uploads/backups',
    });
  });

  it('asks who owns the folders, and says that the server is not in the files', async () => {
    const { text, dbInit, part } = await overrideOf([fixture('external')]);
    expect(dbInit).toMatchObject({ extra_hosts: ['db.example.org:192.0.2.7'] });
    expect(dbInit['depends_on']).toBeUndefined();
    expect(part('web', 'depends_on')).toEqual(gated);
    expect(text).toMatch(/# QUESTION: which user owns the folders below\?.*\n.*\n {4}volumes:/);
    expect(text).toContain('No service of the files is called db.example.org');
  });

  it('passes on an env file and secrets with address and settings', async () => {
    const { text, dbInit, part } = await overrideOf([fixture('secrets')]);
    expect(dbInit).toMatchObject({
      env_file: [{ path: 'app.env', required: false }],
      environment: { SETTINGS_ENCRYPTION_KEY_FILE: '/run/secrets/settings_key' },
      secrets: ['settings_key'],
      depends_on: after('postgres'),
    });
    // besides these only settings that the application does not have, so its env file cannot contain them
    const names = Object.keys(part('db-init', 'environment')).filter((name) => !name.startsWith('TT_'));
    expect(names).toEqual(['SETTINGS_ENCRYPTION_KEY_FILE']);
    expect(part('db-init', 'environment')).toMatchObject({ TT_ALLOW_NEWER_SCHEMA: '${TT_ALLOW_NEWER_SCHEMA:-true}' });
    expect(text).toContain('app.env could not be read');
    expect(text).toContain('# QUESTION: is the service postgres its server? If not, change depends_on.');
  });

  it('reads the env files, and passes on the settings that they lack', async () => {
    const { text, dbInit, part } = await overrideOf([fixture('processes')]);
    expect(dbInit).toMatchObject({ depends_on: after('db.internal'), env_file: ['./environment/app.env'] });
    const environment = part('db-init', 'environment');
    expect(environment).toMatchObject({ TT_APP_SERVICE: 'web worker scheduler', TT_ALLOW_NEWER_SCHEMA: 'false' });
    const inFile =
      /^(?:DATABASE_URL(?:_FILE)?|POSTGRES_\w+|PG(?:HOST|PORT|DATABASE|USER|PASSWORD|TARGETSESSIONATTRS)|ADMIN_USERNAMES)$/;
    const handedOn = settings.filter((name) => !inFile.test(name));
    expect(Object.keys(environment)).toEqual(expect.arrayContaining(handedOn));
    expect(Object.keys(environment).filter((name) => inFile.test(name))).toEqual([]);
    expect(text).not.toContain('s3cret');
    expect(text).toContain('# QUESTION: is reports TimeTracker as well?');
    for (const service of ['web', 'worker', 'scheduler']) expect(part(service, 'depends_on')).toEqual(gated);
    expect(part('db.internal', 'healthcheck')).toMatchObject({ test: expect.arrayContaining(['CMD-SHELL']) });
  });

  it('reads included files, and writes their paths relative to its own folder', async () => {
    const { dbInit, part, text, volumes } = await overrideOf([fixture('include')]);
    expect(dbInit).toMatchObject({ depends_on: after('db'), env_file: ['./environment/../environment/app.env'] });
    expect(dbInit['volumes']).toEqual(
      expect.arrayContaining([
        './environment/uploads:/app/app/static/uploads',
        '${EXTRA:-./environment/extra}/here:/extra:ro',
        '${ROOT_OF_ALL:-/srv}/mail:/mail:ro',
        '${NAME:-app_data}:/named',
      ]),
    );
    expect(text).toContain('# QUESTION: is ${EXTRA:-./extra}/here, ${WHERE}/there an absolute path?');
    expect(part('app', 'depends_on')).toEqual(gated);
    expect(volumes).toEqual(['db_init_app_attachments']);
    expect(text).not.toContain('were not read');
  });

  it('says how to give included files that standard input does not contain', async () => {
    const named = 'include: [one.yml, {path: [two.yml, three.yml]}]\n';
    const { exitCode, stderr } = await run(['compose'], { input: named });
    expect(exitCode).toBe(2);
    expect(stderr.replaceAll(/\s+/g, ' ')).toContain(
      'could not be read: one.yml, two.yml, three.yml. Let db-init read the folder: docker run --rm -v "$PWD:/in:ro" -w /in',
    );
    const { text } = await overrideOf([], `${named}${read('test/fixtures/compose/usual.yml')}`);
    expect(text).toContain('were not read: one.yml, two.yml, three.yml.');
    expect(text).toContain(
      '#   docker run --rm -v "$PWD:/in:ro" -w /in timetracker-db-init compose docker-compose.yml >',
    );
  });

  it('takes mounts of other services into account, and writes no password of an env file', async () => {
    const { text, dbInit, part, volumes } = await overrideOf([fixture('borrowed')]);
    expect(dbInit).toMatchObject({ volumes_from: ['data:rw'], depends_on: after('pg') });
    expect([dbInit['volumes'], volumes]).toEqual([undefined, []]);
    const environment = part('db-init', 'environment');
    expect(environment).toMatchObject({ POSTGRES_HOST: 'pg', POSTGRES_DB: 'tt', POSTGRES_USER: 'tt' });
    expect(Object.keys(environment)).not.toContain('POSTGRES_PASSWORD');
    expect(text).toContain('# DB_PASSWORD is only in ./environment/parts.env, and db-init does not read this name');
    expect(text).not.toMatch(/s3cret-part|is data TimeTracker/);
    expect(text).toContain('# QUESTION: which user owns the folders below?');
  });

  it('asks about an address and a user under unknown names', async () => {
    const { text, dbInit, part } = await overrideOf([fixture('other-variables')]);
    expect(part('db-init', 'environment')).toMatchObject({
      POSTGRES_HOST: 'mydb',
      POSTGRES_PORT: '5432',
      POSTGRES_USER: 'tt',
      POSTGRES_PASSWORD: 'secret',
      POSTGRES_DB: 'tt',
    });
    expect(text).toContain(
      '# QUESTION: is this the address? The application has DB_HOST, DB_PORT, DB_NAME, DB_USER, DB_PASSWORD',
    );
    expect(text).toContain('# QUESTION: which number has the user timetracker?');
    expect(text).toContain(
      '# QUESTION: is the service db-init of your files, of the image liquibase/liquibase, another program?',
    );
    expect(text).not.toContain('which user owns the folders below');
    expect(dbInit).toMatchObject({ group_add: ['100'], depends_on: after('mydb') });
    expect(dbInit['user']).toBeUndefined();
    expect(JSON.stringify(dbInit['volumes'])).not.toContain(':/tmp');
  });

  it('lets a later file replace and remove settings of an earlier one', async () => {
    const { dbInit, part } = await overrideOf([fixture('usual'), fixture('replaced')]);
    expect(dbInit).toMatchObject({
      depends_on: after('pg'),
      volumes: ['./data:/data', `app_attachments:${attachments}`],
    });
    expect(part('db-init', 'environment')).toMatchObject({
      DATABASE_URL: null,
      POSTGRES_HOST: 'pg',
      POSTGRES_PASSWORD: '${POSTGRES_PASSWORD:-}',
    });
    expect([part('db', 'healthcheck'), Object.keys(part('pg', 'healthcheck'))]).toEqual([{}, ['test']]);
  });

  it('reads anchors and extends, and is added before every service of the application', async () => {
    const { dbInit, part } = await overrideOf([fixture('anchors')]);
    expect(part('db-init', 'environment')['DATABASE_URL']).toMatch(/^postgresql\+psycopg2:\/\/timetracker:\$\{DB_P/);
    expect(dbInit['volumes']).toContain('app_data:/data');
    expect(dbInit['profiles']).toBeUndefined();
    for (const service of ['app', 'worker']) expect(part(service, 'depends_on')).toEqual(gated);
  });

  it('changes nothing if db-init was added already', async () => {
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
  ])('refuses %j with the reason', async (input, message) => {
    const { exitCode, stdout, stderr } = await run(['compose'], { input });
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr.replaceAll(/\s+/g, ' ')).toContain(message);
  });

  it('uses the service that the owner names', async () => {
    const input = 'services:\n  one: {image: a}\n  two: {image: b}\n';
    const { part } = await overrideOf(['--service', 'two'], input);
    expect(part('two', 'depends_on')).toEqual(gated);
  });
});
