import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { mapOf, parseYaml, type YamlMap } from '../../../src/compose/yaml.ts';

const read = (file: string): string => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');
// env-example.test.ts holds these against what is read; `help settings` prints the same file
const known = [...read('.env.example').matchAll(/^#([A-Z_]+)=/gm)].map(([, variable = '']) => variable);

const ofPostgres = /^(?:DATABASE_URL_FILE|POSTGRES_\w+|PG\w+|TT_SKIP_DB_CLEANUP|TT_WAIT_TIMEOUT|TT_STATEMENT_TIMEOUT)$/;
const ofSqlite = /^TT_ALLOW_NETWORK_FS$/;
const tls = ['PGSSLMODE', 'PGSSLROOTCERT', 'PGSSLCERT', 'PGSSLKEY', 'PGOPTIONS'];
// different ones would have the two look in different places
const shared = [
  'UPLOAD_FOLDER',
  'BACKUP_FOLDER',
  'BACKUP_DIR',
  'INSTALLATION_CONFIG_DIR',
  'SETTINGS_ENCRYPTION_KEY',
  'TZ',
  'ADMIN_USERNAMES',
];

/** What a service gets, with what is merged into it. Null: compose takes it from .env under the same name. */
function environmentOf(file: string, service: string): YamlMap {
  const services = mapOf(mapOf(parseYaml(read(file))[0])['services']);
  return mapOf(mapOf(services[service])['environment']);
}

const ofServer =
  '${DATABASE_URL:-postgresql://${POSTGRES_USER:-timetracker}:${POSTGRES_PASSWORD:-timetracker}@${POSTGRES_HOST:-db}:' +
  '${POSTGRES_PORT:-5432}/${POSTGRES_DB:-timetracker}}';
const ofFile = '${DATABASE_URL:-sqlite:////data/timetracker.db}';

describe.each<readonly [string, RegExp, readonly string[], string, YamlMap]>([
  ['docker-compose.yml', ofSqlite, [...shared, ...tls], ofServer, { POSTGRES_HOST: '${POSTGRES_HOST:-db}' }],
  ['docker-compose.sqlite.yml', ofPostgres, shared, ofFile, { DATABASE_URL: ofFile }],
])('%s', (file, others, both, address, given) => {
  const ours = environmentOf(file, 'db-init');
  const theirs = environmentOf(file, 'app');

  it('passes every setting that has a meaning in a container to db-init (npm run compose:write)', () => {
    const meant = known.filter((variable) => !others.test(variable));
    // TZ is Node's own: times in the log and in the names of archives are then the application's
    expect(Object.keys(ours).toSorted()).toEqual(['TZ', ...meant].toSorted());
    // nothing that is not set takes the place of a default, or of what a file holds
    for (const [name, value] of Object.entries(ours)) {
      expect(value, name).toBe(given[name] ?? null);
    }
  });

  it('gives the application the settings that it shares with db-init, and the same database', () => {
    for (const name of both) expect(theirs).toHaveProperty(name, null);
    expect(theirs['TT_SKIP_DB_CLEANUP']).toBe('true');
    expect(theirs['DATABASE_URL']).toBe(address);
  });
});

it('the drop-in passes every setting on, except the parts of its complete address', () => {
  const ours = environmentOf('examples/compose-drop-in.yml', 'db-init');
  const parts = /^(?:DATABASE_URL_FILE|POSTGRES_\w+|PG(?:HOST|PORT|DATABASE|USER|PASSWORD|TARGETSESSIONATTRS))$/;
  const meant = known.filter((variable) => !parts.test(variable));
  expect(Object.keys(ours).toSorted()).toEqual(['TZ', ...meant].toSorted());
});
