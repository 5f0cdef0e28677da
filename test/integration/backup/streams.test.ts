import { once } from 'node:events';
import { readdir, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { withReceived } from '../../../src/archive/spool.ts';
import type { TestDatabase } from '../../support/database.ts';
import { snapshot } from '../../support/snapshot.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { put } from '../restore/restores.ts';
import { describeBackups, execute, fill, makeBackupSlow } from './backups.ts';

const entrypoint = join(import.meta.dirname, '../../../entrypoint');

describeBackups('streams', ({ name: engine, create }) => {
  let database: TestDatabase;
  let root: string;
  let backups: string;
  let env: Record<string, string>;
  beforeEach(async () => {
    database = await create();
    await fill(database);
    root = await temporaryDirectory();
    backups = join(root, 'data/backups');
    await put(join(root, 'data'), { 'avatars/me.png': 'me' });
    env = {
      DATABASE_URL: database.url,
      UPLOAD_FOLDER: join(root, 'data'),
      TT_STATIC_UPLOAD_FOLDER: join(root, 'static'),
      TT_ATTACHMENT_FOLDER: join(root, 'attachments'),
      INSTALLATION_CONFIG_DIR: root,
      TT_COMMAND_PREFIX: 'db-init',
    };
  });
  afterEach(() => database.drop());

  const start = (args: readonly string[], input: 'ignore' | { readonly file: string } | { readonly text: string }) =>
    execa(entrypoint, args, {
      reject: false,
      extendEnv: false,
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
      encoding: 'buffer',
      maxBuffer: 1e9,
      ...(input === 'ignore'
        ? { stdin: 'ignore' }
        : 'file' in input
          ? { inputFile: input.file }
          : { input: input.text }),
    });
  const run = async (args: readonly string[], input: Parameters<typeof start>[1] = 'ignore') => {
    const { exitCode, stdout, stderr } = await start(args, input);
    return { exitCode, stdout: Buffer.from(stdout), stderr: Buffer.from(stderr).toString().replaceAll(/\s+/g, ' ') };
  };
  /** Runs a shell command. */
  const shell = (line: string) =>
    execa('bash', ['-c', `db-init() { ${entrypoint} "$@"; }; ${line}`], {
      reject: false,
      extendEnv: false,
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    });
  const left = async (): Promise<string[]> =>
    (await readdir(backups).catch(() => [])).filter((name) => name !== '.db-init');

  it('writes an archive to standard output and restores it, with a separate log and nothing left behind', async () => {
    const before = await snapshot(database.url);
    const file = join(root, 'streamed.zip');
    env['TT_ARCHIVE_MAX_ENTRIES'] = '2';
    const { exitCode, stdout, stderr } = await run(['backup', 'create', '--output', '-']);
    expect(exitCode, stderr).toBe(0);
    expect(stdout.subarray(0, 2).toString()).toBe('PK');
    // db.dump, settings.json, manifest.json and a picture
    expect(stderr).toContain('A restore refuses this backup as it is set up now: it has 4 entries');
    delete env['TT_ARCHIVE_MAX_ENTRIES'];
    expect(stderr).toContain('written to standard output');
    expect(await left()).toEqual([]);
    await writeFile(file, stdout);

    const verified = await run(['backup', 'verify', '-', '--json'], { file });
    expect(verified.exitCode, verified.stderr).toBe(0);
    expect(JSON.parse(verified.stdout.toString())).toMatchObject({ path: '-', engine, uploads: 1, problem: null });

    await execute(database, "UPDATE clients SET description = 'changed'");
    const rehearsed = await run(['restore', '-', '--dry-run'], { file });
    expect(rehearsed.exitCode, rehearsed.stderr).toBe(0);
    expect(await snapshot(database.url)).not.toBe(before);

    const restored = await run(['restore', '-', '--yes', '--disconnect'], { file });
    expect(restored.exitCode, restored.stderr).toBe(0);
    expect(restored.stdout.toString()).toContain('is what the archive from standard input holds');
    expect(await left()).toEqual([]);
  });

  it('writes the same to a file, and stops with exit code 30 if the disk is full or the reader has ended', async () => {
    const file = join(root, 'redirected.zip');
    expect((await shell(`db-init backup create --output - > ${file}`)).exitCode).toBe(0);
    expect((await run(['backup', 'verify', file])).exitCode).toBe(0);

    const full = await shell('db-init backup create --output - > /dev/full');
    expect(full.exitCode, full.stderr).toBe(30);
    expect(full.stderr).toContain('ENOSPC');
    const gone = await shell('db-init backup create --output - | head -c 100 > /dev/null; exit ${PIPESTATUS[0]}');
    expect(gone.exitCode, gone.stderr).toBe(30);
    expect(gone.stderr).toContain('the program that reads the archive has ended');
    expect(await left()).toEqual([]);
  });

  it('leaves an incomplete archive if the backup fails or is stopped, which no restore accepts', async () => {
    const held = await makeBackupSlow(database);
    const taken = start(['backup', 'create', '--output', '-'], 'ignore');
    const stopped = new Promise<void>((resolve) => void taken.stdout.once('data', () => resolve()));
    if (engine === 'postgresql') await new Promise((resolve) => void taken.stderr.once('data', resolve));
    else await stopped;
    taken.kill('SIGTERM');
    const { exitCode, stdout, stderr } = await taken;
    await held.release();
    expect(exitCode, Buffer.from(stderr).toString()).toBe(143);
    const file = join(root, 'broken.zip');
    await writeFile(file, stdout);
    const refused = await run(['restore', '-', '--yes'], { file });
    expect(refused.exitCode, refused.stderr).toBe(32);

    const receiving = execa(entrypoint, ['restore', '-', '--yes'], { reject: false, env, extendEnv: true });
    receiving.stdin.write('PK');
    await once(receiving.stdout, 'data');
    receiving.kill('SIGTERM');
    expect((await receiving).exitCode).toBe(143);
    expect(await left()).toEqual([]);

    // an unreadable file, which is found while the stream is written
    if (process.getuid?.() === 0) return;
    await execa('chmod', ['0', join(root, 'data/avatars/me.png')]);
    const failed = await run(['backup', 'create', '--output', '-']);
    expect(failed.exitCode).toBe(30);
    expect(failed.stderr).toContain('is incomplete');
  });

  it('refuses an empty, truncated or foreign input with a reason, and leaves nothing behind', async () => {
    const before = await snapshot(database.url);
    const file = join(root, 'whole.zip');
    await writeFile(file, (await run(['backup', 'create', '--output', '-'])).stdout);
    await truncate(file, Math.floor((await stat(file)).size / 2));
    const cases = [
      [{ text: '' }, 'nothing was received'],
      [{ text: 'CREATE TABLE users (id integer);\n' }, 'plain SQL dump'],
      [{ file }, 'not a whole archive'],
    ] as const;
    for (const [input, words] of cases) {
      const { exitCode, stderr } = await run(['restore', '-', '--yes'], input);
      expect(exitCode, stderr).toBe(32);
      expect(stderr).toContain(words);
      expect(stderr).toContain('set -o pipefail');
    }
    expect(await left()).toEqual([]);
    expect(await snapshot(database.url)).toBe(before);
  });

  it('reads nothing without consent, and nothing from a terminal', async () => {
    const { exitCode, stderr } = await run(['restore', '-'], { text: 'x' });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('Add --yes');
    for (const [words, said] of [
      ['backup create --output -', 'Standard output is a terminal'],
      ['restore - --yes', 'Standard input is a terminal'],
    ]) {
      const { stdout } = await execa('script', ['-qec', `${entrypoint} ${words}`, '/dev/null'], {
        reject: false,
        extendEnv: false,
        env: { PATH: process.env['PATH'], ...env },
      });
      expect(stdout.replaceAll(/\s+/g, ' ')).toContain(said);
    }
    for (const more of [['--json'], ['--keep', '3']]) {
      expect((await run(['backup', 'create', '--output', '-', ...more])).exitCode).toBe(2);
    }
  });
});

it('reads no more than TT_ARCHIVE_MAX_GIGABYTES, and keeps nothing of it', async () => {
  const folder = await temporaryDirectory();
  const limits = { entries: 10, bytes: 1000, ratio: 10 };
  const { signal } = new AbortController();
  const reception = { folder, database: 'timetracker', limits, signal, onBytes: () => undefined };
  const received = withReceived(Readable.from([Buffer.alloc(600), Buffer.alloc(600)]), reception, async () => 'done');
  const fault = { kind: 'too-large', exceeded: { kind: 'received' } };
  await expect(received).rejects.toMatchObject({ problem: { kind: 'archive-rejected', archive: '-', fault } });
  expect(await readdir(folder)).toEqual([]);
});
