import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, expect, it } from 'vitest';
import { run, start } from '../../support/run.ts';
import { waitForOutput } from '../../support/wait-for-output.ts';
import {
  currentArchive,
  describeRestores,
  everything,
  fillWithNewer,
  type Installation,
  install,
  uploadsIn,
  uploadsOf,
} from './restores.ts';
import { atMoment, journalOf, stopped } from './phases.ts';

const library = join(import.meta.dirname, '../../../dist/library.js');

/** Calls the function of the package, like another program. */
async function isInProgress({ env }: Installation): Promise<string> {
  const script = `import { isDatabaseRestoreInProgress } from ${JSON.stringify(library)};
    console.log(await isDatabaseRestoreInProgress());`;
  const { stdout } = await execa(process.execPath, ['--input-type=module', '--eval', script], { env });
  return stdout;
}

describeRestores('a running restore', (engine) => {
  let place: Installation;
  beforeAll(async () => {
    place = await install(engine);
    await fillWithNewer(place.database);
  });

  it('is known to other runs, which wait for it', async () => {
    const archive = currentArchive(engine);
    expect(await isInProgress(place)).toBe('false');
    const env = { ...place.env, ...(await atMoment('after preparing', 'SIGSTOP')) };
    const restore = start(['restore', archive, '--yes'], { env });
    await stopped(restore.pid);

    expect(await isInProgress(place)).toBe('true');
    const status = await place.run('status', '--json');
    expect(JSON.parse(status.stdout)).toMatchObject({ state: 'interrupted' });
    expect(status.stdout).toContain(`a restore of ${archive}`);
    const verdict = await place.run('verify');
    expect(verdict.exitCode).toBe(31);
    expect(verdict.stdout).toContain(`a restore of ${archive}`);
    const withoutWaiting = { env: { ...place.env, TT_LOCK_TIMEOUT: '0' } };
    for (const command of [['gate'], ['repair'], ['backup', 'create'], ['restore', archive, '--yes']]) {
      const { exitCode, stderr } = await run(command, withoutWaiting);
      expect(exitCode, `${command.join(' ')}: ${stderr}`).toBe(5);
      expect(stderr.replaceAll(/\s+/g, ' ')).toMatch(/restore\b.*\bpid \d+|pid \d+ \(.* restore /);
    }
    const gate = place.start();
    await waitForOutput(gate, /Waiting for (?:a restore|another run)/);

    process.kill(restore.pid ?? 0, 'SIGCONT');
    const [restored, passed] = await Promise.all([restore, gate]);
    expect(restored.exitCode, restored.all).toBe(0);
    expect(passed.exitCode, passed.all).toBe(0);
    expect(passed.all).toContain('healthy and current');
    expect(await uploadsIn(place.statics)).toEqual(uploadsOf(archive));
    expect(await isInProgress(place)).toBe('false');
    expect(journalOf(place)).toBeNull();
  });
});

describeRestores('a damaged list of restores', (engine) => {
  it('is named, with what to do; after it is moved away, the next start completes the restore', async () => {
    const place = await install(engine);
    await fillWithNewer(place.database);
    const env = { ...place.env, ...(await atMoment('after finishing', 'SIGKILL')) };
    const killed = await run(['restore', currentArchive(engine), '--yes'], { env });
    // it was killed at that step, and not by the timeout of the test
    expect([killed.exitCode, journalOf(place)], killed.all).toMatchObject([undefined, { phase: 'finishing' }]);
    const memory = join(place.backups, '.db-init/restores.json');
    await writeFile(memory, '{"format": 1, "rest');

    const { exitCode, stderr } = await place.run();
    expect(exitCode, stderr).toBe(31);
    const told = stderr.replaceAll(/\s+/g, ' ');
    expect(told).toContain('A restore is not finished');
    expect(told).toMatch(/restores\.json: it is damaged/);
    expect(told).toContain('move that file away and start again');
    expect(told).not.toContain('the live database is as it was');
    expect(journalOf(place)).toMatchObject({ phase: 'finishing' });

    await rename(memory, `${memory}.damaged`);
    const settled = await place.run();
    expect(settled.exitCode, settled.all).toBe(0);
    expect(settled.all).toContain('the restored database is live');
    expect(journalOf(place)).toBeNull();
    expect(await uploadsIn(place.statics)).toEqual(uploadsOf(currentArchive(engine)));
    const undone = await place.run('restore', '--undo', '--yes');
    expect(undone.exitCode, undone.all).toBe(0);
  });
});

describeRestores('a journal that cannot be used', (engine) => {
  let place: Installation;
  let journal: string;
  beforeAll(async () => {
    place = await install(engine);
    const env = { ...place.env, ...(await atMoment('after preparing', 'SIGKILL')) };
    await run(['restore', currentArchive(engine), '--yes'], { env });
    journal = join(place.backups, '.db-init/restore.json');
  });

  it.each<[string, (journal: string) => string, RegExp]>([
    ['is not JSON', () => '\0\0', /cannot be read/],
    ['is of a later version', (text) => text.replace('"format": 1', '"format": 2'), /cannot be read/],
    ['has an invalid id', (text) => text.replace(/"id": "[^"]*"/, '"id": "../../etc"'), /cannot be read/],
    [
      'would remove the database',
      (text) => text.replace(/"incoming": "[^"]*"/, '"incoming": "live"'),
      /cannot be read/,
    ],
    ['is of another database', (text) => text.replace(/"database": "[^"]*"/, '"database": "x on y"'), /x on y/],
  ])('stops every command because it %s, and is left alone', async (_title, change, reason) => {
    const text = await readFile(journal, 'utf8');
    await writeFile(journal, change(text));
    const before = await everything(place);
    for (const command of [['gate'], ['restore', currentArchive(engine), '--yes'], ['restore', '--undo', '--yes']]) {
      const { exitCode, stderr } = await place.run(...command);
      expect(exitCode, `${command.join(' ')}: ${stderr}`).toBe(31);
      expect(stderr.replaceAll(/\s+/g, ' ')).toMatch(reason);
      expect(stderr.replaceAll(/\s+/g, '')).toContain(journal.replaceAll(/\s+/g, ''));
    }
    expect(await everything(place)).toEqual(before);
    expect(await isInProgress(place)).toBe('true');
    expect(JSON.parse((await place.run('status', '--json')).stdout)).toMatchObject({ state: 'interrupted' });
    expect(await readFile(journal, 'utf8')).toBe(change(text));
    await writeFile(journal, text);
  });

  it.skipIf(process.getuid?.() !== 0 || engine === 'sqlite')(
    'stops every command because its folder cannot be read',
    async () => {
      for (const folder of [place.root, place.data, place.backups]) await chmod(folder, 0o755);
      await chmod(dirname(journal), 0o700);
      for (const command of ['gate', 'verify']) {
        const { exitCode, all } = await run([command], { env: place.env, uid: 65534 });
        expect(exitCode, all).toBe(31);
        expect(all.replaceAll(/\s+/g, ' ')).toContain('cannot be read');
        expect(all).toMatch(/chown -R 65534:65534 \S+\.db-init/);
      }
    },
  );

  it('stops every command because it is a folder', async () => {
    const text = await readFile(journal, 'utf8');
    await execa('rm', [journal]);
    await mkdir(journal);
    const { exitCode, stderr } = await place.run();
    expect(exitCode, stderr).toBe(31);
    await execa('rmdir', [journal]);
    await writeFile(journal, text);
    expect((await place.run()).exitCode).toBe(0);
    expect(journalOf(place)).toBeNull();
  });
});
