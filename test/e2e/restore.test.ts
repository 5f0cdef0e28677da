import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { releaseGraph } from '../../src/migration/revisions.ts';
import { atEnd } from '../support/cleanup.ts';
import { buildStack, describeDocker, dockerMust, postgresFiles, sqliteFiles, type Stack } from './stack.ts';

const head = releaseGraph.heads.join();
const fixtures = join(import.meta.dirname, '../fixtures/archives');
const upload = '/app/app/static/uploads/Rechnung März 2025 – größe "final" 日本.txt';

/** Puts an archive of the application into the application's backup folder. */
async function bring(stack: Stack, archive: string): Promise<string> {
  const gate = await stack.container('db-init');
  const target = '/data/uploads/backups';
  await stack.compose(['run', '--rm', '--entrypoint', 'mkdir', 'db-init', '-p', target]);
  await dockerMust(['cp', join(fixtures, archive), `${gate?.id ?? ''}:${target}/${archive}`]);
  return `${target}/${archive}`;
}

/** Whether a file exists for the user of the service. */
async function holds(stack: Stack, path: string): Promise<boolean> {
  return (await stack.compose(['run', '--rm', '--entrypoint', 'test', 'db-init', '-s', path])).exitCode === 0;
}

await describeDocker('A restore in the stack with PostgreSQL', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await buildStack(postgresFiles);
  });

  it('refuses while the application runs, restores when it is stopped, and can be undone', async () => {
    expect(await stack.compose(['up', '--detach'])).toMatchObject({ exitCode: 0 });
    await stack.sql("INSERT INTO clients (name, status) VALUES ('before the restore', 'active')");
    // made from a server 15 with another tool, at an older revision
    const archive = await bring(stack, 'pg-v5.10.0-pgdump15.zip');

    const dry = await stack.compose(['run', '--rm', 'db-init', 'restore', archive, '--dry-run']);
    expect(dry).toMatchObject({ exitCode: 0 });
    expect(dry.all).toContain('nothing was changed');
    expect(await stack.sql("SELECT count(*) FROM clients WHERE name = 'before the restore'")).toBe('1');

    const withoutConsent = await stack.compose(['run', '--rm', '-T', 'db-init', 'restore', archive]);
    expect(withoutConsent.exitCode).toBe(2);

    const restored = await stack.compose(['run', '--rm', 'db-init', 'restore', archive, '--yes']);
    expect(restored).toMatchObject({ exitCode: 0 });
    expect(await stack.sql('SELECT version_num FROM alembic_version')).toBe(head);
    expect(await stack.sql("SELECT count(*) FROM clients WHERE name = 'before the restore'")).toBe('0');
    expect(Number(await stack.sql('SELECT count(*) FROM time_entries'))).toBeGreaterThan(100);
    expect(await holds(stack, upload)).toBe(true);

    const undone = await stack.compose(['run', '--rm', 'db-init', 'restore', '--undo', '--yes']);
    expect(undone).toMatchObject({ exitCode: 0 });
    expect(await stack.sql("SELECT count(*) FROM clients WHERE name = 'before the restore'")).toBe('1');
    expect(await holds(stack, upload)).toBe(false);

    const dropped = await stack.compose(['run', '--rm', 'db-init', 'restore', '--drop-former', '--yes']);
    expect(dropped).toMatchObject({ exitCode: 0 });
    expect(await stack.sql("SELECT count(*) FROM pg_database WHERE datname LIKE 'timetracker%'")).toBe('1');
  });

  it('restores once before the application starts, and records it', async () => {
    const archive = await bring(stack, 'pg-v5.10.0-pgdump15.zip');
    const settings = { TT_RESTORE_FROM: archive };
    expect(await stack.compose(['up', '--detach', '--force-recreate', 'db-init'], settings)).toMatchObject({
      exitCode: 0,
    });
    expect(await stack.ended('db-init')).toBe(0);
    expect(await stack.logged('db-init', 'Restored')).toContain('db-init has noted this');
    await stack.sql("INSERT INTO clients (name, status) VALUES ('after the restore', 'active')");

    expect(await stack.compose(['up', '--detach', '--force-recreate', 'db-init'], settings)).toMatchObject({
      exitCode: 0,
    });
    expect(await stack.ended('db-init')).toBe(0);
    expect(await stack.logged('db-init', 'already')).toContain('was restored already');
    expect(await stack.sql("SELECT count(*) FROM clients WHERE name = 'after the restore'")).toBe('1');
  });

  it('moves the data to a newer major of PostgreSQL, and does not change the old volume', async () => {
    const newer = ['--file', 'test/e2e/next-major.yml'];
    atEnd(() => stack.compose([...newer, 'down', '--volumes', '--timeout', '1']));
    const created = await stack.compose(['run', '--rm', 'db-init', 'backup', 'create']);
    const [archive = ''] = /timetracker_backup_\w+\.zip/.exec(created.all) ?? [];
    const before = await stack.sql('SELECT count(*) FROM time_entries');
    await stack.compose(['down', '--timeout', '1']);

    expect(await stack.compose([...newer, 'up', '--detach', '--wait', 'db'])).toMatchObject({ exitCode: 0 });
    const restored = await stack.compose([...newer, 'run', '--rm', 'db-init', 'restore', archive, '--yes']);
    expect(restored).toMatchObject({ exitCode: 0 });
    expect(await stack.compose([...newer, 'up', '--detach'])).toMatchObject({ exitCode: 0 });
    expect(await stack.container('app')).toMatchObject({ status: 'running' });
    expect(await stack.sql('SHOW server_version')).toMatch(/^18\./);
    expect(await stack.sql('SELECT count(*) FROM time_entries')).toBe(before);

    await stack.compose(['down', '--timeout', '1']);
    expect(await stack.compose(['up', '--detach'])).toMatchObject({ exitCode: 0 });
    expect(await stack.sql('SHOW server_version')).toMatch(/^16\./);
    expect(await stack.sql('SELECT count(*) FROM time_entries')).toBe(before);
  });
});

await describeDocker('A restore in the stack with SQLite', () => {
  it('is made from a backup, and undone', async () => {
    const stack = await buildStack(sqliteFiles);
    expect(await stack.compose(['up', '--detach'])).toMatchObject({ exitCode: 0 });
    expect(await stack.compose(['stop', '--timeout', '1', 'app'])).toMatchObject({ exitCode: 0 });
    const archive = await bring(stack, 'sqlite-v5.10.0-patched.zip');
    expect(await stack.compose(['run', '--rm', 'db-init', 'backup', 'create'])).toMatchObject({ exitCode: 0 });
    const restored = await stack.compose(['run', '--rm', 'db-init', 'restore', archive, '--yes']);
    expect(restored).toMatchObject({ exitCode: 0 });
    expect(await holds(stack, upload)).toBe(true);
    expect(await stack.compose(['up', '--detach'])).toMatchObject({ exitCode: 0 });
    expect(await stack.container('app')).toMatchObject({ status: 'running' });
    expect(await stack.compose(['stop', '--timeout', '1', 'app'])).toMatchObject({ exitCode: 0 });
    expect(await stack.compose(['run', '--rm', 'db-init', 'restore', '--undo', '--yes'])).toMatchObject({
      exitCode: 0,
    });
    expect(await holds(stack, upload)).toBe(false);
  });
});
