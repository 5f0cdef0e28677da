import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const script = join(import.meta.dirname, '../../../scripts/start.mjs');
const embedded = 'sqlite:///data/timetracker.db';

/** What the program that start.mjs loads finds in its environment. */
async function started(env: Record<string, string>): Promise<unknown> {
  const root = await temporaryDirectory();
  await mkdir(join(root, 'scripts'));
  await mkdir(join(root, 'dist'));
  await copyFile(script, join(root, 'scripts/start.mjs'));
  await writeFile(join(root, 'package.json'), '{ "type": "module" }');
  const main =
    'const { DATABASE_URL, BACKUP_FOLDER } = process.env; console.log(JSON.stringify({ DATABASE_URL, BACKUP_FOLDER }));';
  await writeFile(join(root, 'dist/main.js'), main);
  const { stdout } = await execa(process.execPath, ['scripts/start.mjs'], { cwd: root, env, extendEnv: false });
  return JSON.parse(stdout);
}

describe('npm start', () => {
  it.each([
    ['no database at all', {}, { DATABASE_URL: embedded, BACKUP_FOLDER: 'data/backups' }],
    [
      'only empty variables',
      { DATABASE_URL: '', POSTGRES_HOST: '' },
      { DATABASE_URL: embedded, BACKUP_FOLDER: 'data/backups' },
    ],
    ['a backup folder', { BACKUP_FOLDER: '/b' }, { DATABASE_URL: embedded, BACKUP_FOLDER: '/b' }],
    ['the older name of the backup folder', { BACKUP_DIR: '/b' }, { DATABASE_URL: embedded }],
    ['DATABASE_URL', { DATABASE_URL: 'sqlite:////x.db' }, { DATABASE_URL: 'sqlite:////x.db' }],
    ['DATABASE_URL_FILE', { DATABASE_URL_FILE: '/run/secrets/url' }, {}],
    ['POSTGRES_*', { POSTGRES_PASSWORD_FILE: '/run/secrets/password' }, {}],
  ])('respects a database that is set by %s', async (_, env, expected) => {
    expect(await started(env)).toEqual(expected);
  });
});
