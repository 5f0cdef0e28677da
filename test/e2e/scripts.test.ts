import { beforeAll, expect, it } from 'vitest';
import { buildStack, describeDocker, postgresFiles, sqliteFiles, type Stack } from './stack.ts';

const reset = 'scripts/db-init-reset.sh';
const seed = 'scripts/db-init-seed.sh';
/** A few rows are enough. */
const few = [
  '--users',
  '2',
  '--clients',
  '2',
  '--projects-per-client',
  '1',
  '--tasks-per-project',
  '1',
  '--days-back',
  '5',
];

await describeDocker('The scripts, with PostgreSQL', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await buildStack(postgresFiles);
    await stack.compose(['up', '--detach']);
  });

  const users = (): Promise<string> => stack.sql('SELECT count(*) > 0 FROM users');

  it('seed, refuse to reset without consent, reset with it, and start the application again', async () => {
    expect(await stack.script(seed, few)).toMatchObject({
      exitCode: 0,
    });
    expect(await users()).toBe('t');

    const refused = await stack.script(reset, []);
    expect(refused.exitCode).toBe(2);
    expect(refused.all.replaceAll(/\s+/g, ' ')).toContain('--yes-delete-all-data timetracker');
    expect(await users()).toBe('t');
    expect(await stack.container('app')).toMatchObject({ status: 'running' });

    const done = await stack.script(reset, [], { TT_FORCE_RESET_DB: 'true' });
    expect(done.all).toContain('Safety backup: /data/uploads/backups/');
    expect(done.exitCode).toBe(0);
    expect(await users()).toBe('f');
    expect(await stack.container('app')).toMatchObject({ status: 'running' });
    expect(await stack.container('db-init')).toMatchObject({ status: 'exited', exitCode: 0 });
  });

  it('do the same inside the container', async () => {
    const inside = (script: string, ...args: readonly string[]) =>
      stack.compose(['run', '--rm', '--entrypoint', `/app/${script}`, 'db-init', ...args]);
    await stack.compose(['stop', '--timeout', '1', 'app']);
    // the names in the recovery document
    expect(await inside('docker/seed-dev-data.sh', ...few)).toMatchObject({
      exitCode: 0,
    });
    expect(await users()).toBe('t');
    expect(await inside('scripts/reset-dev-db.sh', '--yes-delete-all-data', 'timetracker')).toMatchObject({
      exitCode: 0,
    });
    expect(await users()).toBe('f');
  });
});

await describeDocker('The scripts, with SQLite', () => {
  it('seed and reset', async () => {
    const stack = await buildStack(sqliteFiles);
    expect(await stack.compose(['up', '--detach'])).toMatchObject({ exitCode: 0 });
    expect(await stack.script(seed, few)).toMatchObject({ exitCode: 0 });
    const done = await stack.script(reset, ['--yes-delete-all-data', 'timetracker.db']);
    expect(done.all).toContain('Everything of TimeTracker was deleted');
    expect(done.exitCode).toBe(0);
    expect(await stack.container('app')).toMatchObject({ status: 'running' });
  });
});
