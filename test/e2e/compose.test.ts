import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { releaseGraph } from '../../src/migration/revisions.ts';
import { buildStack, describeDocker, dockerMust, postgresFiles, sqliteFiles, type Stack } from './stack.ts';

const head = releaseGraph.heads.join();
const partial = join(import.meta.dirname, '../fixtures/states/partial-with-tables.sql.gz');

await describeDocker('The stack with PostgreSQL', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await buildStack(postgresFiles);
  });
  afterEach(() => stack.compose(['down', '--volumes', '--remove-orphans', '--timeout', '1']));

  /** Starts the database alone and waits until it is healthy. */
  const startDatabase = async (): Promise<void> => {
    expect(await stack.compose(['up', '--detach', '--wait', 'db'])).toMatchObject({ exitCode: 0 });
  };

  it('starts the application when the schema is verified, and changes nothing the next time', async () => {
    expect(await stack.compose(['up', '--detach'])).toMatchObject({ exitCode: 0 });
    const gate = await stack.container('db-init');
    const app = await stack.container('app');
    expect(gate).toMatchObject({ status: 'exited', exitCode: 0 });
    expect(app?.startedAt.getTime()).toBeGreaterThanOrEqual(gate?.finishedAt.getTime() ?? Infinity);
    expect(await stack.logged('app', 'the application runs')).toContain('the application runs');
    expect(await stack.sql('SELECT version_num FROM alembic_version')).toBe(head);

    const transactions = 'SELECT n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_user_tables ORDER BY relname';
    const before = await stack.sql(transactions);
    expect(await stack.compose(['up', '--detach'])).toMatchObject({ exitCode: 0 });
    expect(await stack.logged('db-init', 'nothing to do')).toContain('healthy and current');
    expect(await stack.sql(transactions)).toBe(before);
    expect(await stack.container('app')).toEqual(app);

    const status = await stack.compose(['run', '--rm', 'db-init', 'status', '--json']);
    expect(JSON.parse(status.stdout)).toMatchObject({ state: 'current', engine: 'postgresql', revisions: [head] });
    expect(status.exitCode).toBe(0);
  });

  it('does not start the application on a corrupted database, and moves its tables aside if allowed', async () => {
    await startDatabase();
    await stack.sql("CREATE TABLE stray (note text); INSERT INTO stray VALUES ('kept')");

    const refused = await stack.compose(['up', '--detach'], { TT_SKIP_DB_CLEANUP: 'true' });
    expect(refused.exitCode).not.toBe(0);
    expect(await stack.container('db-init')).toMatchObject({ status: 'exited', exitCode: 10 });
    expect(await stack.container('app')).toMatchObject({ status: 'created' });
    expect(await stack.logged('db-init', 'exit code')).toContain('Detected corrupted database state');
    expect(await stack.sql('SELECT note FROM stray')).toBe('kept');

    expect(await stack.compose(['up', '--detach'])).toMatchObject({ exitCode: 0 });
    expect(await stack.container('app')).toMatchObject({ status: 'running' });
    const schema = await stack.sql("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'tt\\_quarantine%'");
    expect(await stack.sql(`SELECT note FROM ${schema}.stray`)).toBe('kept');
  });

  it('does not start the application on a partial migration, and starts it after its tables are put aside', async () => {
    await startDatabase();
    await stack.sql(gunzipSync(readFileSync(partial)).toString());
    const rows = (schema: string): Promise<string> =>
      stack.sql(`SELECT r::text FROM ${schema}.permissions r ORDER BY 1; SELECT * FROM ${schema}.alembic_version`);
    const before = await rows('public');

    const refused = await stack.compose(['up', '--detach']);
    expect(refused.exitCode).not.toBe(0);
    expect(await stack.container('db-init')).toMatchObject({ status: 'exited', exitCode: 11 });
    expect(await stack.container('app')).toMatchObject({ status: 'created' });
    const banner = await stack.logged('db-init', 'exit code');
    expect(banner).toContain('Partial migration');
    expect(banner).toContain('quarantine create --all --yes');
    expect(await rows('public')).toBe(before);

    const putAside = await stack.compose(['run', '--rm', 'db-init', 'quarantine', 'create', '--all', '--yes']);
    expect(putAside).toMatchObject({ exitCode: 0 });
    expect(await stack.compose(['up', '--detach'])).toMatchObject({ exitCode: 0 });
    expect(await stack.container('app')).toMatchObject({ status: 'running' });
    expect(await stack.sql('SELECT version_num FROM alembic_version')).toBe(head);
    const schema = await stack.sql("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'tt\\_quarantine%'");
    expect(await rows(schema)).toBe(before);
  });

  it('waits for a database that starts late', async () => {
    await stack.compose(['up', '--detach', '--no-deps', 'db-init']);
    expect(await stack.logged('db-init', 'Waiting')).toContain('Waiting for the database');
    await startDatabase();
    expect(await stack.ended('db-init')).toBe(0);
  });

  it('stops waiting for a database that does not start, and says what to check', async () => {
    await stack.compose(['up', '--detach', '--no-deps', 'db-init'], { TT_WAIT_TIMEOUT: '1' });
    expect(await stack.ended('db-init')).toBe(3);
    expect(await stack.logged('db-init', 'exit code')).toContain('docker compose logs db');
  });

  it('does not wait if waiting does not help: a wrong password', async () => {
    await startDatabase();
    const url = 'postgresql://timetracker:wrong-secret@db:5432/timetracker';
    const { exitCode, all } = await stack.compose(['run', '--rm', 'db-init'], { DATABASE_URL: url });
    expect(exitCode).toBe(4);
    expect(all).toContain('Access denied');
    expect(all).not.toContain('Waiting');
    expect(all).not.toContain('wrong-secret');
  });

  it('can be stopped before it listens for signals', async () => {
    const { stdout: id } = await stack.compose([
      'run',
      '--detach',
      '--no-deps',
      '--entrypoint',
      'sleep',
      'db-init',
      '99',
    ]);
    await dockerMust(['stop', id]);
    // a first process without a handler would ignore SIGTERM, until Docker kills it: 137
    expect(await dockerMust(['inspect', '--format', '{{.State.ExitCode}}', id])).toBe('143');
    await dockerMust(['rm', id]);
  });

  it('ends at once when it is stopped while it waits', async () => {
    await stack.compose(['up', '--detach', '--no-deps', 'db-init']);
    await stack.logged('db-init', 'Waiting');
    await stack.compose(['stop', 'db-init']);
    // 137 would be Docker's answer to a process that outlives the grace period
    expect(await stack.container('db-init')).toMatchObject({ exitCode: 143 });
  });
});

await describeDocker('The stack with SQLite', () => {
  it('starts the application on a volume, and changes nothing the next time', async () => {
    const stack = await buildStack(sqliteFiles);
    expect(await stack.compose(['up', '--detach'])).toMatchObject({ exitCode: 0 });
    expect(await stack.container('db-init')).toMatchObject({ status: 'exited', exitCode: 0 });
    expect(await stack.logged('app', 'the application runs')).toContain('the application runs');

    expect(await stack.compose(['up', '--detach'])).toMatchObject({ exitCode: 0 });
    expect(await stack.logged('db-init', 'nothing to do')).toContain('healthy and current');
    const status = await stack.compose(['run', '--rm', 'db-init', 'status', '--json']);
    expect(JSON.parse(status.stdout)).toMatchObject({ state: 'current', engine: 'sqlite', revisions: [head] });
  });

  it('shows the command that gives a volume of another user to the application', async () => {
    const stack = await buildStack(sqliteFiles);
    const theirs = 'chown -R 999:999 /data && chmod -R u=rwX,go= /data';
    const rights = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER'].flatMap((right) => ['--cap-add', right]);
    const asRoot = ['--user', '0', ...rights, '--entrypoint', 'sh'];
    expect(await stack.compose(['run', '--rm', 'db-init'])).toMatchObject({ exitCode: 0 });
    expect(await stack.compose(['run', '--rm', ...asRoot, 'db-init', '-c', theirs])).toMatchObject({ exitCode: 0 });

    const refused = await stack.compose(['run', '--rm', 'db-init']);
    expect(refused.exitCode).toBe(4);
    const [, command = ''] = /^ +docker compose (run .* chown .*)$/m.exec(refused.all) ?? [];
    expect(await stack.compose(command.split(' '))).toMatchObject({ exitCode: 0 });
    expect(await stack.compose(['run', '--rm', 'db-init'])).toMatchObject({ exitCode: 0 });
  });
});
