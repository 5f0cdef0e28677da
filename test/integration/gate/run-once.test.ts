import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { mapOf } from '../../../src/compose/yaml.ts';
import { describeEngines, type TestDatabase } from '../../support/database.ts';
import { run } from '../../support/run.ts';
import { snapshot } from '../../support/snapshot.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { execute } from '../backup/backups.ts';

describeEngines('TT_RUN_ONCE', ({ name: engine, create }) => {
  const sqlite = engine === 'sqlite';
  const damage = (database: TestDatabase): Promise<unknown> =>
    execute(database, sqlite ? 'PRAGMA foreign_keys = OFF; DROP TABLE users' : 'DROP TABLE users CASCADE');

  async function install() {
    const database = await create();
    const uploads = await temporaryDirectory();
    const backups = join(uploads, 'backups');
    await mkdir(backups);
    const env = { DATABASE_URL: database.url, UPLOAD_FOLDER: uploads, TT_LOCK_TIMEOUT: '0', TT_WAIT_TIMEOUT: '0' };
    const start = (once?: string, args: readonly string[] = [], more = {}) =>
      run(args, { env: { ...env, ...(once === undefined ? {} : { TT_RUN_ONCE: once }), ...more } });
    const memory = join(backups, '.db-init/run-once.json');
    expect((await start()).exitCode).toBe(0);
    return { database, start, backups, memory };
  }

  it('runs the command of a banner once, before the gate continues', async () => {
    const { database, start, memory } = await install();
    await damage(database);
    const refused = await start();
    expect(refused.exitCode).toBe(11);
    const [, order = ''] = /^ +# or set TT_RUN_ONCE="(quarantine .*)" and start again$/m.exec(refused.stderr) ?? [];
    expect(order).toBe('quarantine create --all --yes');

    const told = await start(order, ['plan', '--json']);
    expect(JSON.parse(told.stdout)).toMatchObject({ runOnce: { commands: order, why: null }, exitCode: 11 });
    expect((await start(order, ['status'])).stdout).toContain(`runs once: ${order} (TT_RUN_ONCE)`);

    // in the form that some user interfaces pass on
    const done = await start(`"${order}"`);
    expect({ exitCode: done.exitCode, all: done.all }).toMatchObject({ exitCode: 0 });
    expect(done.stdout).toContain('TT_RUN_ONCE: `quarantine create --all --yes` is done');
    expect(done.stdout).toContain('healthy');

    // a second start does not repeat it, in any state
    await damage(database);
    const second = await start(order);
    expect(second.exitCode).toBe(11);
    expect(second.stdout).toContain('was done already');
    expect(JSON.parse((await start(order, ['status', '--json'])).stdout)).toMatchObject({
      runOnce: { commands: order, why: expect.stringContaining('was done already') },
    });

    // another value is a new order, and so is the same value after a start without it
    expect((await start('quarantine create --yes --all')).exitCode).toBe(0);
    await damage(database);
    expect((await start()).exitCode).toBe(11);
    expect((await start('quarantine create --yes --all')).exitCode).toBe(0);

    // killed in the middle: its effect is unknown
    const noted = mapOf(JSON.parse(await readFile(memory, 'utf8')));
    await damage(database);
    await writeFile(memory, JSON.stringify({ ...noted, finished: 0, end: null }));
    const unknown = await start('quarantine create --yes --all');
    expect(unknown.exitCode).toBe(11);
    expect(unknown.stdout).toContain('its end is not known');
    for (const spoilt of [
      'nonsense',
      JSON.stringify({ ...noted, finished: 7 }),
      JSON.stringify({ ...noted, begunAt: 'x' }),
    ]) {
      await writeFile(memory, spoilt);
      const damaged = await start('quarantine create --yes --all', ['status']);
      expect([damaged.exitCode, damaged.stderr.includes('The commands of TT_RUN_ONCE were not run')], spoilt).toEqual([
        2,
        true,
      ]);
    }
    expect((await start('quarantine create --yes --all')).exitCode).toBe(2);
  });

  it('runs several commands, shows their output, and restores and undoes', async () => {
    const { database, start, backups } = await install();
    await execute(database, `INSERT INTO clients (name) VALUES ('before')`);
    const made = await start('backup create && backup list && status --json', ['gate', '--json']);
    expect(made.exitCode).toBe(0);
    // the object on standard output is the gate's alone
    expect(JSON.parse(made.stdout)).toMatchObject({ state: 'current', command: 'gate' });
    const file = (await readdir(backups)).find((name) => name.endsWith('.zip')) ?? '';
    expect(made.stderr).toContain(file);
    expect(made.stderr).toContain('"serverVersion"');

    await execute(database, `UPDATE clients SET name = 'after'`);
    expect((await start(`restore ${file} --yes`)).exitCode).toBe(0);
    expect(await snapshot(database.url)).toContain('before');
    const undone = await start('restore --undo --yes');
    expect({ exitCode: undone.exitCode, all: undone.all }).toMatchObject({ exitCode: 0 });
    expect(await snapshot(database.url)).toContain('after');
  });

  it.runIf(sqlite)('stops repeating a command that fails, and refuses commands that it cannot run', async () => {
    const { start, backups, database } = await install();
    // only the variable gives consent
    const env = { TT_FORCE_RESET_DB: 'true' };
    for (const attempt of [1, 2, 3]) {
      const failed = await start('reset', [], env);
      expect([failed.exitCode, failed.stderr.includes('needs your consent')], `${attempt}`).toEqual([2, true]);
      expect(failed.stderr).not.toContain('TT_FORCE_RESET_DB=true');
      expect(failed.stderr).toContain('# or set TT_RUN_ONCE="reset --yes-delete-all-data ');
    }
    const given = await start('reset', [], env);
    expect(given.exitCode).toBe(0);
    expect(given.stdout).toContain('failed 3 times (exit code 2');
    expect((await start(`reset --yes-delete-all-data '${database.name}'`)).exitCode).toBe(0);

    for (const [line, said] of [
      ['gate', 'names a command that cannot be run once'],
      ['seed', 'names a command that cannot be run once'],
      ['backup schedule', 'backup create|list|prune|verify'],
      ['quarantin create', 'Did you mean quarantine?'],
      ['quarantine create --al', '--al'],
      ['backup create --output -', 'writes the backup to standard output'],
      ['backup create; reset', 'only a shell understands'],
    ] as const) {
      for (const args of [[], ['status']]) {
        const { exitCode, stderr } = await start(line, args);
        expect([exitCode, stderr.replaceAll(/\s+/g, ' ').includes(said)], `${line}: ${stderr}`).toEqual([2, true]);
      }
    }
    const nowhere = await start('backup list', [], { BACKUP_FOLDER: '/no/such/place/backups' });
    expect(nowhere.exitCode).toBe(2);
    expect(nowhere.stderr.replaceAll(/\s+/g, ' ')).toMatch(/\/no\/such\S* is not on a volume/);
    expect(await readdir(join(backups, '.db-init'))).not.toContain('run-once.json.partial');
  });
});
