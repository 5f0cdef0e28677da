import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { TestDatabase } from '../../support/database.ts';
import { run, start } from '../../support/run.ts';
import { waitForOutput } from '../../support/wait-for-output.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { archivesIn, describeBackups, execute, makeBackupSlow, partialIn } from './backups.ts';

describeBackups('backup schedule', ({ name: engine, create }) => {
  let database: TestDatabase;
  let folder: string;
  let env: Record<string, string>;
  const started: ReturnType<typeof start>[] = [];
  const schedule = (...more: string[]) => {
    const scheduler = start(['backup', 'schedule', ...more], { env });
    started.push(scheduler);
    return scheduler;
  };
  const archives = () => archivesIn(folder).catch(() => []);
  beforeEach(async () => {
    database = await create();
    await execute(database, 'CREATE TABLE users (id integer)');
    const root = await temporaryDirectory();
    folder = join(root, 'backups');
    env = { DATABASE_URL: database.url, BACKUP_FOLDER: folder, TMPDIR: root, UPLOAD_FOLDER: join(root, 'uploads') };
  });
  afterEach(async () => {
    for (const scheduler of started.splice(0)) scheduler.kill('SIGKILL');
    await database.drop();
  });

  it('makes a missed backup once for two schedulers, answers its health check, and ends at once', async () => {
    const absent = await run(['backup', 'schedule', '--check'], { env });
    expect(absent.exitCode).toBe(30);
    const two = [schedule('--keep', '2'), schedule('--keep', '2')];
    const output = await Promise.all(two.map((scheduler) => waitForOutput(scheduler, /The next backup is made at/)));
    expect(await archives()).toHaveLength(1);
    expect(output.join('')).toContain('no other is needed');
    const check = await run(['backup', 'schedule', '--check'], { env });
    expect(check.exitCode, check.all).toBe(0);
    expect(check.stdout).toContain('The last one succeeded');
    for (const scheduler of two) {
      scheduler.kill('SIGTERM');
      expect((await scheduler).exitCode).toBe(143);
    }
    expect((await run(['backup', 'schedule', '--check'], { env })).exitCode).toBe(30);
  });

  it.runIf(engine === 'sqlite')('ends without waiting for a copy that ignores the signal', async () => {
    const deaf =
      "if (process.argv.includes('create')) { process.on('SIGTERM', () => {}); console.log('is deaf'); " +
      'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); }';
    env['NODE_OPTIONS'] = `--import=data:text/javascript,${encodeURIComponent(deaf)}`;
    const scheduler = schedule();
    await waitForOutput(scheduler, /is deaf/);
    scheduler.kill('SIGTERM');
    expect((await scheduler).exitCode).toBe(143);
  });

  it.runIf(engine === 'postgresql')('leaves no partial file if it is stopped in the middle of a backup', async () => {
    await mkdir(folder);
    const held = await makeBackupSlow(database);
    const scheduler = schedule();
    await partialIn(folder, scheduler);
    scheduler.kill('SIGTERM');
    expect((await scheduler).exitCode).toBe(143);
    await held.release();
    expect((await readdir(folder)).filter((name) => name.endsWith('.partial'))).toEqual([]);
  });

  it('continues after a failed backup, and its health check reports the failure', async () => {
    env['BACKUP_FOLDER'] = '/proc/nowhere';
    const scheduler = schedule();
    const output = await waitForOutput(scheduler, /The next backup is made at/);
    const check = await run(['backup', 'schedule', '--check', '--json'], { env });
    expect(check.exitCode).toBe(30);
    expect(JSON.parse(check.stdout)).toMatchObject({ kind: 'failed', exitCode: 30 });
    expect(output).toContain('The backup failed (exit code 30)');
    scheduler.kill('SIGINT');
    expect((await scheduler).exitCode).toBe(130);
  });

  it('refuses a time that never comes', async () => {
    const { exitCode, all } = await run(['backup', 'schedule', '--cron', '0 0 30 2 *'], { env });
    expect(exitCode, all).toBe(2);
    expect(all.replaceAll(/\s+/g, ' ')).toContain('minute, hour, day, month, weekday');
  });
});
