import { describe, expect, it } from 'vitest';
import { findAbsentUploads } from '../../../src/backup/absent-uploads.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { execute, install, put } from '../restore/restores.ts';

describe('uploads that the database speaks of', () => {
  it('are missed by a backup that cannot see their folder, and not by one that holds them', async () => {
    const { database, root, run } = await install('sqlite');
    await execute(
      database,
      'CREATE TABLE project_attachments (id integer); INSERT INTO project_attachments VALUES (1), (2)',
    );
    const without = await run('backup', 'create');
    expect(without.exitCode, without.all).toBe(0);
    expect(without.all).toMatch(/WARNING: THE BACKUP LACKS 2 UPLOADED FILES: .*attachments is not there here/);
    expect(without.all).toMatch(/Save them first, then mount one volume/);
    await put(`${root}/attachments`, { 'a.pdf': 'a' });
    expect((await run('backup', 'create')).all).not.toContain('LACKS');
  });

  it('are said to lie in a container where no volume is mounted, or where the folder is empty', async () => {
    const folder = await temporaryDirectory();
    const roots = [{ name: 'project_attachments', folder }] as const;
    const member = { size: 1, sha256: '' };
    const held = { rows: { project_attachments: 3 }, members: { 'project_attachments/a': member } };
    expect(findAbsentUploads(held, roots, () => false)).toEqual([{ folder, rows: 3, why: 'not-mounted' }]);
    expect(findAbsentUploads(held, roots, () => true)).toEqual([]);
    expect(findAbsentUploads({ ...held, members: {} }, roots, () => true)).toMatchObject([{ why: 'empty' }]);
    expect(findAbsentUploads({ ...held, rows: {} }, roots, () => false)).toEqual([]);
  });
});
