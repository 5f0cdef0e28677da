import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const root = join(import.meta.dirname, '../../..');

/** What the compiler says of a program that has db-init among its packages. */
async function compiled(program: string) {
  const folder = await temporaryDirectory();
  await mkdir(join(folder, 'node_modules'));
  await symlink(root, join(folder, 'node_modules/db-init'));
  await writeFile(join(folder, 'program.mts'), program);
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const flags = ['--ignoreConfig', '--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2023', '--types', ''];
  return execa(process.execPath, [compiler, ...flags, 'program.mts'], { cwd: folder, reject: false, all: true });
}

it('the package contains the types of its function for TypeScript', async () => {
  const asking = "import { isDatabaseRestoreInProgress } from 'db-init';\n";
  const right = await compiled(
    `${asking}export const busy: boolean = await isDatabaseRestoreInProgress({ BACKUP_FOLDER: '/b' });`,
  );
  expect(right.exitCode, right.all).toBe(0);
  const wrong = await compiled(`${asking}export const busy: string = await isDatabaseRestoreInProgress();`);
  expect(wrong.all).toContain("Type 'boolean' is not assignable to type 'string'");
});
