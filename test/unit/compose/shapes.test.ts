import { describe, expect, it } from 'vitest';
import { parseComposeFiles } from '../../../src/compose/compose-file.ts';
import { findInstallation } from '../../../src/compose/installation.ts';
import { type Override, planOverride } from '../../../src/compose/override.ts';
import { mapOf } from '../../../src/compose/yaml.ts';

const application = (url: string, more = ''): string => `
  app:
    image: ghcr.io/drytrix/timetracker:latest
    environment:
      - DATABASE_URL=${url}
    volumes: [app_data:/data]
${more}`;
const url = 'postgresql+psycopg2://timetracker:timetracker@db:5432/timetracker';
const server = (more = '', image = 'postgres:16-alpine'): string => `
  db:
    image: ${image}
${more}`;

function override(...services: readonly string[]): Override {
  const text = `services:\n${services.join('\n')}\nvolumes:\n  app_data:\n`;
  return overrideOf(text);
}

function overrideOf(text: string): Override {
  const files = parseComposeFiles([{ name: null, text }], () => null);
  const installation = findInstallation(files, null);
  if ('kind' in installation) throw new Error('no application was found');
  return planOverride(installation, files, { image: 'db-init', settings: ['DATABASE_URL', 'TT_DB_SERVICE'] });
}

const healthy = { db: { condition: 'service_healthy' } };
const remarksOf = ({ remarks }: Override): readonly string[] => remarks.map(({ kind }) => kind);

describe('the server in an address is found', () => {
  it.each([
    ['by a link', application(url.replace('@db', '@database'), '    links: [db:database]'), server()],
    ['by its container', application(url.replace('@db', '@tt-db')), server('    container_name: tt-db')],
    ['by a parameter', application('postgresql:///timetracker?host=db&user=timetracker'), server()],
    ['behind a password with slashes', application('postgresql://u:a/b?c@db/timetracker'), server()],
    [
      'by its port, from the network of the machine',
      application(url.replace('@db:5432', '@localhost:5433'), '    network_mode: host'),
      server('    ports: ["127.0.0.1:5433:5432/tcp"]'),
    ],
    [
      'by its port in the long form',
      application(url.replace('@db:5432', '@host.docker.internal:5433'), '    extra_hosts: [x:host-gateway]'),
      server('    ports: [{target: 5432, published: "5433"}]'),
    ],
    [
      'on the network of the machine',
      application(url.replace('@db', '@127.0.0.1'), '    network_mode: host'),
      server('    network_mode: host'),
    ],
    ['as the neighbour', application(url.replace('@db', '@localhost'), '    network_mode: service:db'), server()],
  ])('%s', (_, ...services) => {
    expect(override(...services).dbInit['depends_on']).toEqual(healthy);
  });

  it('and gets its own name in messages, and a link, if the address has another name', () => {
    const { dbInit } = override(application(url.replace('@db', '@database'), '    links: [db:database]'), server());
    expect(dbInit).toMatchObject({ links: ['db:database'], environment: { TT_DB_SERVICE: 'db' } });
  });

  it.each(['postgresql://u@[fd00::5]:5432/x', 'postgresql://u@db1:5432,db2:5432/x', url.replace('@db', '@localhost')])(
    'outside of the files if no service has its name: %s',
    (address) => {
      const plan = override(application(address), server());
      expect(plan.dbInit).not.toHaveProperty('depends_on');
      expect(remarksOf(plan)).toContain('external');
    },
  );
});

describe('the health check of the server', () => {
  const check = (words: string): string => `    healthcheck: {test: ${words}, interval: 9s}`;

  it.each([
    ['pg_isready -U x', true],
    ['["CMD", "pg_isready", "-h", "/var/run/postgresql"]', true],
    [`["CMD-SHELL", "psql -U x -c 'SELECT 1'"]`, true],
    ['["CMD", "pg_isready", "-h", "127.0.0.1"]', false],
    ['["CMD", "pg_isready", "--host=localhost"]', false],
    ['["CMD-SHELL", "psql postgresql://u@localhost/x -c ok"]', false],
    ['["CMD", "/check.sh"]', false],
  ])('of %s uses the socket: %s', (words, socket) => {
    const { others } = override(application(url), server(check(words)));
    expect(others.has('db')).toBe(socket);
  });

  it('is switched on if it was switched off', () => {
    const { others } = override(application(url), server('    healthcheck: {disable: true}'));
    expect(others.get('db')).toMatchObject({ healthcheck: { disable: false, retries: 60 } });
  });

  it.each(['timescale/timescaledb-ha:pg16', 'pgvector/pgvector:pg16', 'registry.local:5000/mirror/postgres:16'])(
    'is added to %s',
    (image) => {
      expect(override(application(url), server('', image)).others.has('db')).toBe(true);
    },
  );

  it('is left alone, with a question, if the image is no PostgreSQL server', () => {
    const plan = override(application(url), server('', 'edoburu/pgbouncer'));
    expect(plan.others.has('db')).toBe(false);
    expect(plan.dbInit['depends_on']).toEqual({ db: { condition: 'service_started' } });
    expect(remarksOf(plan)).toContain('doubtful-server');
    const own = server('    environment: {POSTGRES_PASSWORD: x}', 'example.org/our-own-database');
    expect(remarksOf(override(application(url), own))).not.toContain('doubtful-server');
  });
});

it('does not wait for a server whose profile is not active', () => {
  const local = server('    profiles: [local]');
  expect(override(application(url), local).dbInit['depends_on']).toMatchObject({ db: { required: false } });
  const together = override(application(url, '    profiles: [local]'), local);
  expect(together.dbInit['depends_on']).toEqual(healthy);
});

it('copies what the container needs for its login, but no socket of the machine', () => {
  const { dbInit } = override(
    application(
      url,
      '    userns_mode: keep-id\n    group_add: ["100"]\n    security_opt: [label:disable]\n    external_links: [x:y]',
    ).replace('[app_data:/data]', '[app_data:/data, /var/run/docker.sock:/var/run/docker.sock]'),
    server(),
  );
  expect(dbInit).toMatchObject({ userns_mode: 'keep-id', group_add: ['100'], security_opt: ['label:disable'] });
  expect(dbInit['external_links']).toEqual(['x:y']);
  expect(JSON.stringify(dbInit['volumes'])).not.toContain('docker.sock');
});

it.each([
  ['with line ends of Windows and a byte order mark', (text: string) => `\uFEFF${text.replaceAll('\n', '\r\n')}`],
  ['in several documents', (text: string) => `---\n${text}---\nservices:\n  db: {restart: always}\n`],
])('reads a file %s', (_, write) => {
  const text = `services:\n${application(url)}${server()}\nvolumes:\n  app_data:\n`;
  const plan = overrideOf(write(text));
  expect(plan.dbInit['depends_on']).toEqual(healthy);
  expect(mapOf(plan.dbInit['environment'])['DATABASE_URL']).toBe(url);
});
