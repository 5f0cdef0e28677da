import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { makeStateFolder } from '../../../src/state-folder/state-paths.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const modeOf = (path: string): number => statSync(path).mode & 0o777;

it('makes the state folder readable for its owner only, and the backup folder with the usual rights', async () => {
  const root = await temporaryDirectory();
  const usual = join(root, 'usual');
  mkdirSync(usual);
  const folder = join(root, 'uploads', 'backups', '.db-init');
  makeStateFolder(folder);
  expect(modeOf(folder)).toBe(0o700);
  expect(modeOf(dirname(folder))).toBe(modeOf(usual));

  // as an earlier release made it
  for (const [mode, left] of [
    [0o755, 0o700],
    [0o777, 0o700],
    [0o555, 0o500],
  ] as const) {
    chmodSync(folder, mode);
    makeStateFolder(folder);
    expect(modeOf(folder)).toBe(left);
  }
});
