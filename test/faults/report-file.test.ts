import { mkdir, readFile, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { expect, it } from 'vitest';
import { createSqliteDatabase } from '../support/database.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { bugPattern, runInProcess } from '../support/run-in-process.ts';

/** Runs the gate with a report, and gives back what it said. */
async function reporting(file: string): Promise<string> {
  const { url } = await createSqliteDatabase();
  const env = { DATABASE_URL: url, UPLOAD_FOLDER: await temporaryDirectory(), TT_REPORT_FILE: file };
  const { exitCode, all } = await runInProcess(['gate'], env);
  expect(all).not.toMatch(bugPattern);
  expect(exitCode).toBe(0);
  return all;
}

it('a report does not replace a device', async ({ skip }) => {
  const device = join(await temporaryDirectory(), 'null');
  if (execaSync('mknod', [device, 'c', '1', '3'], { reject: false }).failed) return skip('no device can be made here');
  expect(await reporting(device)).not.toContain('WARNING');
  expect((await stat(device)).isCharacterDevice()).toBe(true);
});

it('a report does not wait for a pipe without a reader', async () => {
  const pipe = join(await temporaryDirectory(), 'pipe');
  execaSync('mkfifo', [pipe]);
  expect(await reporting(pipe)).toContain('WARNING: the report could not be written');
  expect((await stat(pipe)).isFIFO()).toBe(true);
});

it('a report fails nothing if its path is a folder, or its folder does not exist', async () => {
  const folder = await temporaryDirectory();
  await mkdir(join(folder, 'report'));
  await symlink(join(folder, 'loop'), join(folder, 'loop'));
  for (const file of ['report', 'nowhere/report', 'report/x/y', 'loop', 'x'.repeat(300)]) {
    expect(await reporting(join(folder, file))).toMatch(file === 'loop' ? /healthy/ : /WARNING: the report could not/);
  }
  expect(JSON.parse(await readFile(join(folder, 'loop'), 'utf8'))).toMatchObject({ exitCode: 0 });
});
