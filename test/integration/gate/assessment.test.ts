import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { openArchive } from '../../../src/archive/reader.ts';
import { readConfig } from '../../../src/config/config.ts';
import { releaseGraph } from '../../../src/migration/revisions.ts';
import { atEnd } from '../../support/cleanup.ts';
import {
  admin,
  connectClient,
  createDatabase,
  createSqliteDatabase,
  type TestDatabase,
  withClient,
} from '../../support/database.ts';
import { release, state } from '../../support/fixtures.ts';
import { describePostgres, requirePostgres } from '../../support/postgres-server.ts';
import { restoreSql } from '../../support/restore-sql.ts';
import { run } from '../../support/run.ts';
import { snapshot } from '../../support/snapshot.ts';
import { applicationArchive } from '../restore/crafted.ts';
import { currentArchive } from '../restore/restores.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { requireRestoreSpace } from '../../../src/restore/restore-at-start.ts';

type Settings = Readonly<Record<string, string>>;

/** An obstacle for the gate, with its exit code. */
interface Situation {
  readonly what: string;
  readonly exitCode: number;
  /** Whether TT_RESTORE_FROM names an archive that could be restored. */
  readonly restores?: boolean;
  /** Makes the obstacle. @returns the variables to set */
  readonly make: (database: TestDatabase, folder: string) => Promise<Settings>;
}

/** Puts a file in the place of a folder. */
const fileIn = (folder: string): string => {
  const file = join(folder, 'file');
  writeFileSync(file, '');
  return file;
};

const situations: readonly Situation[] = [
  { what: 'a database without obstacles', exitCode: 0, make: async () => ({}) },
  {
    what: 'a role that may not create tables',
    exitCode: 4,
    async make(database) {
      const role = `dbi_role_${randomBytes(4).toString('hex')}`;
      await admin(`CREATE ROLE ${role} LOGIN PASSWORD 'pw'`);
      atEnd(() => admin(`DROP ROLE ${role}`));
      await withClient(database.url, (client) => client.query('REVOKE CREATE ON SCHEMA public FROM public'));
      const url = Object.assign(new URL(database.url), { username: role, password: 'pw' });
      return { DATABASE_URL: url.href };
    },
  },
  {
    what: 'a setting that lets the application read only',
    exitCode: 4,
    async make(database) {
      await admin(`ALTER DATABASE ${database.name} SET default_transaction_read_only TO on`);
      return {};
    },
  },
  {
    what: 'no place for the backup that must be made',
    exitCode: 30,
    async make({ url }, folder) {
      await restoreSql(url, release('pg', 'v5.7.0', 'before.sql.gz'));
      return { TT_BACKUP_BEFORE_MIGRATE: 'always', BACKUP_FOLDER: join(fileIn(folder), 'backups') };
    },
  },
  {
    what: 'no archive to restore first',
    exitCode: 32,
    make: async (_database, folder) => ({ TT_RESTORE_FROM: join(folder, 'missing.zip') }),
  },
  {
    what: 'an archive to restore first that is none',
    exitCode: 32,
    make: async (_database, folder) => ({ TT_RESTORE_FROM: fileIn(folder) }),
  },
  {
    what: 'an empty database where one must be',
    exitCode: 16,
    make: async () => ({ TT_REQUIRE_EXISTING: 'true' }),
  },
  {
    what: 'types of a former installation, and no consent to move them',
    exitCode: 10,
    async make({ url }) {
      await withClient(url, (client) => client.query('CREATE DOMAIN users AS text'));
      return { TT_SKIP_DB_CLEANUP: 'true' };
    },
  },
  {
    what: 'sessions of others in the way of a cleanup',
    exitCode: 10,
    async make({ url }) {
      await restoreSql(url, state('polluted'));
      await connectAnother(url);
      return {};
    },
  },
  {
    what: 'an encoding that lacks characters of the first rows',
    exitCode: 2,
    async make({ name }) {
      await admin(`DROP DATABASE ${name}`);
      await admin(`CREATE DATABASE ${name} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`);
      return {};
    },
  },
  {
    what: 'an archive to restore first, into a database that is refused else',
    exitCode: 0,
    restores: true,
    async make({ url }) {
      await restoreSql(url, state('partial'));
      return { TT_RESTORE_FROM: currentArchive('postgresql') };
    },
  },
  {
    what: 'sessions of others in the way of the archive to restore first',
    exitCode: 31,
    restores: true,
    async make({ url }) {
      await connectAnother(url);
      return { TT_RESTORE_FROM: currentArchive('postgresql') };
    },
  },
  {
    what: 'an archive to restore first that holds code',
    exitCode: 32,
    restores: true,
    async make({ url }) {
      await withClient(url, (client) =>
        client.query(`CREATE FUNCTION spy() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE TABLE users (id int)`),
      );
      const { binDirectory } = requirePostgres();
      const { stdout } = await execa(join(binDirectory ?? '', 'pg_dump'), ['--format=custom', '--dbname', url], {
        encoding: 'buffer',
      });
      return {
        TT_RESTORE_FROM: await applicationArchive('postgresql', Buffer.from(stdout), releaseGraph.heads[0] ?? ''),
      };
    },
  },
  {
    what: 'an archive to restore first for which a right is missing',
    exitCode: 4,
    restores: true,
    async make(database) {
      const role = `dbi_role_${randomBytes(4).toString('hex')}`;
      await admin(`CREATE ROLE ${role} LOGIN PASSWORD 'pw'`);
      atEnd(() => admin(`DROP ROLE ${role}`));
      const url = Object.assign(new URL(database.url), { username: role, password: 'pw' });
      return { DATABASE_URL: url.href, TT_RESTORE_FROM: currentArchive('postgresql') };
    },
  },
];

it('a restore at a start names the folder with too little space', async () => {
  const folder = await temporaryDirectory();
  const env = { DATABASE_URL: 'postgresql://u:p@h/d', UPLOAD_FOLDER: folder, ...staticsIn(folder) };
  const config = readConfig(env, folder);
  const archive = await openArchive(currentArchive('postgresql'), config.archiveLimits);
  requireRestoreSpace(archive, config.uploadRoots, config);
  const large = { ...archive, database: { ...archive.database, size: 1e18 } };
  const uploads = [...archive.uploads].map((upload) => ({ ...upload, entry: { ...upload.entry, size: 1e18 } }));
  for (const tried of [large, { ...archive, uploads }]) {
    const refusal = { exitCode: 31, problem: { obstacle: { kind: 'no-space', folder } } };
    const measured = Promise.resolve().then(() => requireRestoreSpace(tried, config.uploadRoots, config));
    await expect(measured).rejects.toMatchObject(refusal);
  }
});

const staticsIn = (folder: string): Settings => ({ TT_STATIC_UPLOAD_FOLDER: join(folder, 'statics') });

async function connectAnother(url: string): Promise<void> {
  const other = await connectClient(url, 'another program');
  atEnd(() => other.end());
}

describePostgres('status, plan and gate', () => {
  it.each(situations)('agree on $what', async ({ exitCode, restores = false, make }) => {
    const database = await createDatabase();
    const folder = await temporaryDirectory();
    const made: Settings & { readonly TT_RESTORE_FROM?: string } = await make(database, folder);
    const env = { DATABASE_URL: database.url, UPLOAD_FOLDER: folder, ...staticsIn(folder), ...made };
    const before = await snapshot(database.url);
    const archive = env.TT_RESTORE_FROM ?? 'none';
    const told = await run(['status'], { env });
    expect(told.exitCode, told.all).toBe(exitCode);
    expect(told.stdout.includes(`restores:  ${archive}`)).toBe(restores);
    const rehearsed = await run(['plan', '--rehearse'], { env });
    expect(rehearsed.exitCode, rehearsed.all).toBe(exitCode);
    const reported = await run(['plan', '--json'], { env });
    expect(JSON.parse(reported.stdout)).toMatchObject({ exitCode, ...(restores && { restores: archive }) });
    expect(await snapshot(database.url)).toBe(before);
    expect((await run(['gate'], { env })).exitCode).toBe(exitCode);
    expect((await snapshot(database.url)) === before).toBe(exitCode !== 0);
  });
});

it('status and plan make no folder for a SQLite file', async () => {
  const { name } = await createSqliteDatabase();
  const below = join(dirname(name), 'data', 'timetracker.db');
  const env = { DATABASE_URL: `sqlite:///${below}` };
  for (const command of ['status', 'plan']) expect((await run([command], { env })).exitCode).toBe(0);
  expect(existsSync(dirname(below))).toBe(false);
});
