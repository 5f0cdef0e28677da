import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type Bench, type BenchServer, entrypoint, memoryOf, outputOf, sideBySide, timed } from './workbench.ts';

/** What a comparison came to. */
export interface Result {
  readonly name: string;
  readonly ours: number;
  readonly theirs: number;
  /** The largest ratio of ours to theirs that is promised. */
  readonly limit: number;
  readonly unit: 's' | 'MiB';
}

const bareNode = (): number => timed({ file: 'node', args: ['-e', '0'] });
const gate = (url: string): number => timed({ file: entrypoint, env: { DATABASE_URL: url } });
const seed = (url: string): number =>
  timed({
    file: entrypoint,
    args: ['seed', '--users', '40', '--time-entries', '20000'],
    env: { DATABASE_URL: url, FLASK_ENV: 'development' },
  });
const aMinute = (): number => 60;

/** The oldest release among the real databases: 173 revisions to go, with data. */
const oldest = gunzipSync(readFileSync('test/fixtures/databases/pg/v1.5.1/before.sql.gz')).toString();

/** Everything that docs/performance.md has a figure for. What the machine lacks the tools for is left out, visibly. */
export async function measureAll(bench: Bench): Promise<readonly Result[]> {
  const results = [...(await measureSqlite(bench))];
  if (bench.postgres === null) process.stdout.write('SKIPPED: everything on PostgreSQL, whose programs are not here\n');
  else results.push(...(await measurePostgres(bench.postgres, bench)));
  return results;
}

async function measureSqlite({ folder }: Bench): Promise<readonly Result[]> {
  const file = join(folder, 'ours.db');
  const copy = join(folder, 'theirs.db');
  const url = `sqlite:///${file}`;
  gate(url);
  const noop = await sideBySide(15, () => gate(url), bareNode);
  // each statement commits by itself, as with a script that was written by hand
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
    { name: 'SQLite, nothing to do / node -e 0', ...noop, limit: 3, unit: 's' },
    { name: 'SQLite, fresh to head / sqlite3 < head.sql', ...fresh, limit: 1.2, unit: 's' },
    { name: 'SQLite, seed of 20,000 time entries / 60 s', ...seeded, limit: 1, unit: 's' },
  ];
}

async function measurePostgres(server: BenchServer, { folder }: Bench): Promise<readonly Result[]> {
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
  const memory = memoryOf({ DATABASE_URL: await oldDatabase(server) }, folder);
  return [
    { name: 'PostgreSQL, nothing to do / node -e 0', ...noop, limit: 3, unit: 's' },
    { name: 'PostgreSQL, fresh to head / psql -1 -f head.sql', ...fresh, limit: 1, unit: 's' },
    { name: 'PostgreSQL, 1.5.1 with data to head / psql -1 -f head.sql', ...upgrade, limit: 1.5, unit: 's' },
    { name: 'PostgreSQL, seed of 20,000 time entries / 60 s', ...seeded, limit: 1, unit: 's' },
    { name: 'PostgreSQL, 1.5.1 with data: memory / 150 MiB', ours: memory, theirs: 150, limit: 1, unit: 'MiB' },
  ];
}

async function oldDatabase(server: BenchServer): Promise<string> {
  const url = await server.create();
  timed({ file: join(server.bin, 'psql'), args: ['-q', '-v', 'ON_ERROR_STOP=1', url], input: oldest });
  return url;
}
