import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, expect, it } from 'vitest';
import { createDatabase, type TestDatabase, withClient } from '../../support/database.ts';
import { startProxy } from '../../support/postgres-proxy.ts';
import { describePostgres, requirePostgres } from '../../support/postgres-server.ts';
import { runLock } from '../../../src/database/postgres/lock.ts';
import { run, start } from '../../support/run.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { waitForOutput } from '../../support/wait-for-output.ts';

describePostgres('the gate on a current database', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase();
    await run(['gate'], { env: { DATABASE_URL: database.url } });
  });

  it('sends three queries', async () => {
    const proxy = await startProxy(() => ({ kind: 'forward', url: requirePostgres().url }));
    const { exitCode, stdout } = await run([], { env: { DATABASE_URL: proxy.urlOf(database.url) } });
    expect(exitCode).toBe(0);
    expect(stdout).toContain('nothing to do');
    // a second connection checks that the proxy is no transaction pooler; a direct connection needs none
    const forPooler = /^(BEGIN$|ROLLBACK$|SET LOCAL statement_timeout TO 0; SELECT pg_backend_pid)/;
    expect(proxy.queries().filter((query) => !forPooler.test(query))).toEqual([
      expect.stringContaining('pg_postmaster_start_time'),
      expect.stringMatching(/pg_try_advisory_lock.*pg_constraint/s),
      expect.stringContaining('FROM alembic_version'),
    ]);
  });

  it.each(['postgresql', 'sqlite'] as const)('loads no module that only other runs need: %s', async (engine) => {
    const folder = await temporaryDirectory();
    const url = engine === 'postgresql' ? database.url : `sqlite:///${join(folder, 'timetracker.db')}`;
    if (engine === 'sqlite') await run(['gate'], { env: { DATABASE_URL: url } });
    // Node lists its loaded modules
    const options = `--require=${join(import.meta.dirname, '../../support/list-loaded.cjs')}`;
    const env = { DATABASE_URL: url, NODE_OPTIONS: options, LIST_LOADED: join(folder, 'modules') };
    await run([], { env: { ...env, NODE_V8_COVERAGE: join(folder, 'coverage') } });
    const [report = ''] = await readdir(join(folder, 'coverage'));
    const { result }: { result: { url: string }[] } = JSON.parse(
      await readFile(join(folder, 'coverage', report), 'utf8'),
    );
    const loaded = result.map(({ url: file }) => file).filter((file) => /\/(?:dist|node_modules)\//.test(file));
    expect(loaded.map((file) => basename(file).replace(/-\w+(?=\.js$)/, '')).toSorted()).toEqual([
      'core.js',
      'database.js',
      'main.js',
    ]);
    const texts = await Promise.all(loaded.map((file) => readFile(new URL(file), 'utf8')));
    const packages = texts.flatMap((text) => text.match(/(?<=^\/\/ node_modules\/).+$/gm) ?? []);
    expect(
      packages.filter((name) => (engine === 'postgresql' ? !driverOfPostgres.test(name) : name !== 'better-sqlite3')),
    ).toEqual([]);
    expect(packages).toContain(engine === 'postgresql' ? 'pg' : 'better-sqlite3');
    const builtin = (await readFile(join(folder, 'modules'), 'utf8')).split('\n');
    expect(builtin).toContain('NativeModule fs');
    const costly = ['readline', 'fs/promises', 'child_process', 'worker_threads', 'http', 'https', 'zlib', 'tls'];
    if (engine === 'sqlite') costly.push('crypto', 'dns');
    expect(costly.filter((name) => builtin.includes(`NativeModule ${name}`))).toEqual([]);
  });

  it('writes nothing', async () => {
    const before = await writesIn(database);
    await run([], { env: { DATABASE_URL: database.url } });
    expect(await writesIn(database)).toEqual(before);
  });

  it('shows its name in pg_stat_activity', async () => {
    const names = await withClient(database.url, async (client) => {
      await client.query('SELECT pg_advisory_lock($1, $2)', [runLock.application, runLock.key]);
      const gate = start([], { env: { DATABASE_URL: database.url } });
      await waitForOutput(gate, /Waiting for another run/);
      const { rows } = await client.query<Record<string, unknown>>(
        `SELECT application_name FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      );
      gate.kill();
      await gate;
      return rows;
    });
    expect(names).toEqual([{ application_name: expect.stringMatching(/^db-init \d+\.\d+\.\d+ gate$/) }]);
  });
});

it.each(['core.js', 'revisions.js'])('V8 accepts the compiled code that the build has kept of %s', async (name) => {
  const file = join(import.meta.dirname, '../../../dist/chunks', name);
  // in a process of its own, because the flags of the process decide
  const script = `
    const { readFileSync } = require('node:fs');
    const cachedData = readFileSync(${JSON.stringify(`${file}.cache`)});
    const source = readFileSync(${JSON.stringify(file)}, 'latin1');
    console.log(new (require('node:vm').Script)(source, { cachedData }).cachedDataRejected);`;
  const { stdout } = await execa({ extendEnv: false })(process.execPath, ['-e', script]);
  expect(stdout).toBe('false');
});

/** The names of the driver's packages. */
const driverOfPostgres = /^(?:pg(?:-[\w-]+|pass)?|postgres-\w+|split2|xtend)$/;

/** Values that change with every write of a row. */
async function writesIn({ url }: TestDatabase): Promise<unknown> {
  return withClient(url, async (client) => {
    // a session reports its writes before it disappears from the list
    const others = `SELECT 1 FROM pg_stat_activity
                    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`;
    while ((await client.query(others)).rows.length > 0);
    // the catalog grows by itself, when the server analyzes tables
    const { rows } = await client.query<Record<string, unknown>>(
      `SELECT (SELECT sum(n_tup_ins + n_tup_upd + n_tup_del)::int FROM pg_stat_user_tables) AS rows,
              (SELECT sum(pg_relation_size(oid))::int FROM pg_class
               WHERE relkind IN ('r', 'i', 'S') AND relnamespace = to_regnamespace('public')) AS bytes`,
    );
    return rows;
  });
}
