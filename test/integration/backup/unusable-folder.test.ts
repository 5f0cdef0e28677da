import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createSqliteDatabase } from '../../support/database.ts';
import { run } from '../../support/run.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

describe('a backup folder that cannot be made', () => {
  it.each([
    ['below /proc', '/proc/db-init/backups', 'ENOENT'],
    ['below a file', 'file/backups', 'not a directory'],
  ])('ends the backup with 30 and the reason: %s', async (_, folder, reason) => {
    const { url } = await createSqliteDatabase();
    const place = await temporaryDirectory();
    await writeFile(join(place, 'file'), '');
    const uploads = join(place, 'uploads');
    const made = await run([], { env: { DATABASE_URL: url, UPLOAD_FOLDER: uploads } });
    expect(made.exitCode, made.all).toBe(0);
    const { exitCode, stderr } = await run(['backup', 'create'], {
      env: { DATABASE_URL: url, UPLOAD_FOLDER: uploads, BACKUP_FOLDER: folder },
      cwd: place,
    });
    expect(exitCode, stderr).toBe(30);
    expect(stderr).toContain(reason);
  });
});
