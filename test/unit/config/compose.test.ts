import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const read = (file: string): string => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');
const known = [...read('.env.example').matchAll(/^#([A-Z_]+)=/gm)].map(([, variable = '']) => variable);

// the address is the compose file's own, and so is where volumes and secrets are mounted
const address =
  /^(DATABASE_URL\w*|POSTGRES_\w+|PG(?:HOST|PORT|DATABASE|USER|PASSWORD|TARGETSESSIONATTRS)|TT_STATIC_UPLOAD_FOLDER|TT_ATTACHMENT_FOLDER|SETTINGS_ENCRYPTION_KEY_FILE|TT_NOTIFY_URL_FILE|TT_PING_URL_FILE)$/;
const tls = ['PGSSLMODE', 'PGSSLROOTCERT', 'PGSSLCERT', 'PGSSLKEY', 'PGOPTIONS'];
const postgresOnly = [...tls, 'TT_SKIP_DB_CLEANUP', 'TT_WAIT_TIMEOUT', 'TT_STATEMENT_TIMEOUT'];
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

describe.each([
  ['docker-compose.yml', ['TT_ALLOW_NETWORK_FS'], [...shared, ...tls]],
  ['docker-compose.sqlite.yml', postgresOnly, shared],
])('%s', (file, others, both) => {
  /** The variables that a service takes from .env under their own names. */
  const handedTo = (service: string): string[] => {
    const [, text = ''] = new RegExp(`^ {2}${service}:\\n((?: {4}.*\\n|\\n)*)`, 'm').exec(read(file)) ?? [];
    return [...`${anchors(text)}${text}`.matchAll(/^ +([A-Z_]+):$/gm)].map(([, variable = '']) => variable);
  };

  /** What is merged into it from above. */
  const anchors = (text: string): string =>
    [...text.matchAll(/\*([\w-]+)/g)]
      .map(([, name = '']) => new RegExp(`&${name}\\n((?: {2}.*\\n)*)`).exec(read(file))?.[1] ?? '')
      .join('');

  it('hands every setting on to db-init that has a meaning there', () => {
    const meant = known.filter((variable) => !address.test(variable) && !others.includes(variable));
    // TZ is Node's own: times in the log and in the names of archives are then the application's
    expect(handedTo('db-init').toSorted()).toEqual(['TZ', ...meant].toSorted());
  });

  it('gives the application what it has to share with db-init', () => {
    expect(handedTo('app')).toEqual(expect.arrayContaining(both));
  });
});
