import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { releaseGraph } from '../src/migration/revisions.ts';
import { otherTools } from './others.ts';
import type { Limit, Result } from './table.ts';
import { type Bench, type BenchServer, entrypoint, memoryOf, outputOf, sideBySide, timed } from './workbench.ts';

const bareNode = (): number => timed({ file: 'node', args: ['-e', '0'] });
/** db-init makes safety backups where it finds a folder for them; the other tools make none. */
const withoutBackup = { TT_BACKUP_BEFORE_MIGRATE: 'never' };
const gate = (url: string): number => timed({ file: entrypoint, env: { ...withoutBackup, DATABASE_URL: url } });
const seed = (url: string): number =>
  timed({
    file: entrypoint,
    args: ['seed', '--users', '40', '--time-entries', '20000'],
    env: { DATABASE_URL: url, FLASK_ENV: 'development' },
  });
const aMinute = (): number => 60;
const atMost = (ratio: number): Limit => ({ kind: 'at most', ratio });

/** The oldest release among the real databases: 173 revisions to go, with data. */
const oldest = gunzipSync(readFileSync('test/fixtures/databases/pg/v1.5.1/before.sql.gz')).toString();

/** The gate and the seed, on databases of the usual size. */
export async function measureSmall(bench: Bench): Promise<readonly Result[]> {
  const { folder, postgres } = bench;
  return [...(await measureSqlite(folder)), ...(postgres === null ? [] : await measurePostgres(postgres, folder))];
}

async function measureSqlite(folder: string): Promise<readonly Result[]> {
  const file = join(folder, 'ours.db');
  const copy = join(folder, 'theirs.db');
  const url = `sqlite:///${file}`;
  gate(url);
  const noop = await sideBySide(15, () => gate(url), bareNode);
  // each statement commits by itself, as in a script that was written by hand
  const script = outputOf('sqlite3', [file, '.dump']).replaceAll(/^(BEGIN TRANSACTION|COMMIT);$/gm, '');
  const fresh = await sideBySide(
    9,
    () => {
      rmSync(file);
      return gate(url);
    },
    () => {
      rmSync(copy, { force: true });
      return timed({ file: 'sqlite3', args: [copy], input: script });
    },
  );
  const seeded = await sideBySide(
    3,
    () => {
      rmSync(file);
      gate(url);
      return seed(url);
    },
    aMinute,
  );
  return [
    { what: 'SQLite, nothing to do', ...noop, plain: 'node -e 0', unit: 's', limit: atMost(2.5) },
    { what: 'SQLite, fresh to head', ...fresh, plain: 'sqlite3 < head.sql', unit: 's', limit: atMost(1.2) },
    { what: 'SQLite, seed of 20,000 time entries', ...seeded, plain: '', unit: 's', limit: atMost(1) },
  ];
}

async function measurePostgres(server: BenchServer, folder: string): Promise<readonly Result[]> {
  const current = await server.create();
  gate(current);
  const noop = await sideBySide(15, () => gate(current), bareNode);

  const head = join(folder, 'head.sql');
  writeFileSync(head, outputOf(join(server.bin, 'pg_dump'), ['--no-owner', '--no-acl', current]));
  const psql = async (): Promise<number> =>
    timed({
      file: join(server.bin, 'psql'),
      args: ['-q', '-1', '-v', 'ON_ERROR_STOP=1', '-f', head, await server.create()],
    });
  const fresh = await sideBySide(7, async () => gate(await server.create()), psql);
  const upgrade = await sideBySide(7, async () => gate(await oldDatabase(server)), psql);
  const seeded = await sideBySide(
    3,
    async () => {
      const empty = await server.create();
      gate(empty);
      return seed(empty);
    },
    aMinute,
  );
  const memory = memoryOf({ env: { ...withoutBackup, DATABASE_URL: await oldDatabase(server) } }, folder);
  return [
    { what: 'PostgreSQL, nothing to do', ...noop, plain: 'node -e 0', unit: 's', limit: atMost(3.5) },
    { what: 'PostgreSQL, fresh to head', ...fresh, plain: 'psql -1 -f head.sql', unit: 's', limit: atMost(0.9) },
    {
      what: 'PostgreSQL, 1.5.1 with data to head',
      ...upgrade,
      plain: 'psql -1 -f head.sql',
      unit: 's',
      limit: atMost(1.2),
    },
    ...(await besideOthers(server, current, folder)),
    { what: 'PostgreSQL, seed of 20,000 time entries', ...seeded, plain: '', unit: 's', limit: atMost(1) },
    {
      what: 'PostgreSQL, 1.5.1 with data to head: memory',
      ours: memory,
      plain: '',
      theirs: 150,
      unit: 'MiB',
      limit: atMost(1),
    },
  ];
}

async function oldDatabase(server: BenchServer): Promise<string> {
  const url = await server.create();
  timed({ file: join(server.bin, 'psql'), args: ['-q', '-v', 'ON_ERROR_STOP=1', url], input: oldest });
  return url;
}

/** The same work with the tools that people would choose, with the same number of revisions. */
async function besideOthers(server: BenchServer, current: string, folder: string): Promise<readonly Result[]> {
  const { length } = releaseGraph.revisions;
  const revision = await server.query(await oldDatabase(server), 'SELECT version_num FROM alembic_version');
  const pending = releaseGraph.pending([revision]).length;
  const rounds = 3;
  const results: Result[] = [];
  for (const tool of otherTools(server, current, folder, length)) {
    const [theirs, old] = [await server.create(), await server.create()];
    tool.create(theirs);
    tool.upgradeTo(old, length - pending);
    const noop = await sideBySide(
      rounds,
      () => gate(current),
      () => tool.create(theirs),
    );
    const fresh = await sideBySide(
      rounds,
      async () => gate(await server.create()),
      async () => tool.create(await server.create()),
    );
    const upgrade = await sideBySide(
      rounds,
      async () => gate(await oldDatabase(server)),
      async () => tool.upgrade(await server.copy(old)),
    );
    const row = (what: string, times: { ours: number; theirs: number }, limit: Limit | null): Result => ({
      what: `PostgreSQL, ${what}`,
      ...times,
      plain: tool.name,
      unit: 's',
      limit,
    });
    // Node.js alone takes longer to start than a compiled program to find nothing to do; and parts of a dump are less
    // work than revisions, which only shows beside a fast tool
    const limit = tool.compiled ? null : atMost(1);
    results.push(row('nothing to do', noop, limit), row('fresh to head', fresh, atMost(1)));
    results.push(row(`${pending} revisions`, upgrade, limit));
  }
  return results;
}
