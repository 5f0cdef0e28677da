import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createDatabase, describeEngines } from '../../support/database.ts';
import { state } from '../../support/fixtures.ts';
import { describePostgres } from '../../support/postgres-server.ts';
import { restoredDatabase } from '../../support/templates.ts';
import { run } from '../../support/run.ts';
import { snapshot } from '../../support/snapshot.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** Volumes as a former installation left them. */
async function volumes(...left: readonly ('uploads' | 'backups' | 'stamp')[]) {
  const folder = await temporaryDirectory();
  const [uploads, backups] = [join(folder, 'uploads'), join(folder, 'backups')];
  mkdirSync(join(uploads, 'avatars'), { recursive: true });
  mkdirSync(join(backups, '.db-init'), { recursive: true });
  writeFileSync(join(uploads, '.gitkeep'), '');
  if (left.includes('uploads')) writeFileSync(join(uploads, 'avatars', 'me.png'), 'x');
  if (left.includes('backups')) writeFileSync(join(backups, 'backup_1.zip'), 'x');
  if (left.includes('stamp')) writeFileSync(join(backups, '.db-init', 'stamp.json'), '{}');
  return { UPLOAD_FOLDER: uploads, BACKUP_FOLDER: backups };
}

describeEngines('an empty database', ({ create }) => {
  it.each(['uploads', 'backups', 'stamp'] as const)('is created with a warning if there is %s', async (left) => {
    const { url } = await create();
    const { exitCode, stdout } = await run([], { env: { DATABASE_URL: url, ...(await volumes(left)) } });
    expect(exitCode).toBe(0);
    expect(stdout).toContain('IT DOES NOT LOOK LIKE A FIRST START');
  });

  it('is a first start if the volumes are empty', async () => {
    const { url } = await create();
    const { exitCode, stdout } = await run([], { env: { DATABASE_URL: url, ...(await volumes()) } });
    expect(exitCode).toBe(0);
    expect(stdout).not.toContain('WARNING');
  });

  it('is refused with TT_REQUIRE_EXISTING, with the traces of an earlier one', async () => {
    const { url } = await create();
    const env = { DATABASE_URL: url, TT_REQUIRE_EXISTING: 'true', ...(await volumes('uploads', 'backups')) };
    const { exitCode, stderr } = await run([], { env });
    expect(exitCode).toBe(16);
    expect(stderr).toMatch(
      /- There are uploads in[\s\S]*- There are backups in|- There are backups in[\s\S]*- There are uploads in/,
    );
    expect((await run(['status'], { env })).exitCode).toBe(16);
  });

  it('is reported as suspicious if an earlier run left a stamp', async () => {
    const [first, second] = [await create(), await create()];
    const folders = await volumes();
    await run([], { env: { DATABASE_URL: first.url, ...folders } });
    const { stdout } = await run([], { env: { DATABASE_URL: second.url, ...folders } });
    expect(stdout).toContain('A database was healthy here before');
  });
});

describePostgres('a corrupted database', () => {
  it('is cleaned by no command with TT_REQUIRE_EXISTING and traces of an earlier one', async () => {
    const { url } = await restoredDatabase(state('polluted'));
    const before = await snapshot(url);
    const env = { DATABASE_URL: url, TT_REQUIRE_EXISTING: 'true', ...(await volumes('uploads')) };
    for (const command of ['status', 'plan', 'gate']) {
      const { exitCode, all } = await run([command], { env });
      expect(exitCode, all).toBe(16);
      expect(all).toContain('- There are uploads in');
    }
    expect(await snapshot(url)).toBe(before);
    expect((await run([], { env: { ...env, TT_REQUIRE_EXISTING: 'false' } })).exitCode).toBe(0);
  });
});

describePostgres('a newer schema', () => {
  it('is accepted only with consent, and not changed', async () => {
    const { url } = await restoredDatabase(state('unknown-revision'));
    const before = await snapshot(url);
    expect((await run([], { env: { DATABASE_URL: url } })).exitCode).toBe(13);
    const allowed = await run([], { env: { DATABASE_URL: url, TT_ALLOW_NEWER_SCHEMA: 'true' } });
    expect(allowed.exitCode).toBe(0);
    expect(allowed.stdout).toContain('WARNING: The database is newer than this image');
    expect(await snapshot(url)).toBe(before);
  });
});

describePostgres('TT_SKIP_DB_CLEANUP', () => {
  describe.each(['true', '1', 'yes', 'TRUE', 'on'])('=%s', (value) => {
    it('prevents the cleanup of a corrupted database', async () => {
      const { url } = await restoredDatabase(state('polluted'));
      const before = await snapshot(url);
      const { exitCode, stderr } = await run([], { env: { DATABASE_URL: url, TT_SKIP_DB_CLEANUP: value } });
      expect(exitCode).toBe(10);
      expect(stderr).toContain('Detected corrupted database state');
      expect(await snapshot(url)).toBe(before);
    });
  });

  it('is an error if it is neither yes nor no', async () => {
    const { url } = await createDatabase();
    const { exitCode, stderr } = await run([], { env: { DATABASE_URL: url, TT_SKIP_DB_CLEANUP: 'maybe' } });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('TT_SKIP_DB_CLEANUP');
  });
});
