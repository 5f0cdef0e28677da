import { rm } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { countReferencedFiles, findAbsentUploads } from '../../../src/backup/absent-uploads.ts';
import type { Database } from '../../../src/database/database.ts';
import { execute, createDatabase, createSqliteDatabase } from '../../support/database.ts';
import { withDatabase } from '../../support/open-database.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { currentArchive, describeRestores, fillWithNewer, install, put } from '../restore/restores.ts';

describe('uploads that the database refers to', () => {
  it('are reported as missing by a backup that cannot see their folder, and not by one that holds them', async () => {
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

  it('are found in every column that names one, and not in empty columns', async () => {
    const place = await install('sqlite');
    const { database } = place;
    const { data } = place;
    // in a container the folder is no volume, and the message differs
    const spoken = async () =>
      /WARNING: .*?(\d+) uploaded files?\b/i.exec((await place.run('backup', 'create')).all)?.[1];
    await rm(data, { recursive: true });
    await execute(
      database,
      `CREATE TABLE users (avatar_filename text); INSERT INTO users VALUES ('a.png'), (''), (NULL);
       CREATE TABLE expenses (receipt_path text); CREATE TABLE project_costs (id integer)`,
    );
    expect(await spoken()).toBe('1');
    await execute(database, "INSERT INTO expenses VALUES ('r.pdf'), ('s.pdf')");
    expect(await spoken()).toBe('3');
  });

  it('are reported as lost with the container if no volume is mounted, or the folder is empty', async () => {
    const folder = await temporaryDirectory();
    const roots = [{ name: 'project_attachments', folder }] as const;
    const rows = { project_attachments: 3 };
    const [full, empty] = [() => true, () => false];
    expect(findAbsentUploads(rows, roots, full, () => false)).toEqual([{ folder, rows: 3, why: 'not-mounted' }]);
    expect(findAbsentUploads(rows, roots, full, () => true)).toEqual([]);
    expect(findAbsentUploads(rows, roots, empty, () => true)).toMatchObject([{ why: 'empty' }]);
    expect(findAbsentUploads({}, roots, full, () => false)).toEqual([]);
  });
});

describeRestores('the warning of the gate about missing uploads', (engine) => {
  it('names the folder before a change, and does not come if there is nothing to do', async () => {
    const place = await install(engine);
    await fillWithNewer(place.database);
    const { all } = await place.must('gate');
    const words = /WARNING: DB-INIT CANNOT SEE \d+ UPLOADED FILES: .*attachments is not there here/;
    expect(all).toMatch(words);
    expect(all).toMatch(/mount one volume at .*attachments for both, and put them back/);
    expect(all).not.toContain('BACKUP LACKS');
    expect(all.search(words)).toBeLessThan(all.indexOf('Safety backup: '));
    expect((await place.must('gate')).all).not.toContain('CANNOT SEE');
  });

  it('covers uploads in lists and in texts', async () => {
    const database = await (engine === 'sqlite' ? createSqliteDatabase() : createDatabase());
    await execute(
      database,
      `CREATE TABLE client_messages (attachments json); CREATE TABLE settings (logo_path text);
       CREATE TABLE tasks (description text); CREATE TABLE data_imports (source_file text);
       INSERT INTO client_messages VALUES (NULL), ('null'), ('[]'), ('{}'), ('[{"url": "/a"}, {"url": "/b"}]'), ('[{}]');
       INSERT INTO settings VALUES ('logo.png'); INSERT INTO data_imports VALUES ('times.csv');
       INSERT INTO tasks VALUES ('see ![](/uploads/editor/editor_0a.png)'), ('no uploads'), (NULL)`,
    );
    const count = async (open: Database) => countReferencedFiles(open, (await open.observe('quick')).catalog);
    expect(await withDatabase(database.url, count)).toEqual({ uploads: 5 });
  });

  it('names no existing upload', async () => {
    const place = await install(engine);
    await fillWithNewer(place.database);
    await put(`${place.root}/attachments`, { 'a.pdf': 'a' });
    expect((await place.must('gate')).all).not.toMatch(/CANNOT SEE.*attachments/);
  });

  it('does not come during a restore that contains the uploads', async () => {
    const place = await install(engine);
    const { all } = await place.must('restore', currentArchive(engine), '--yes');
    expect(all).toContain('revisions to apply');
    expect(all).not.toContain('CANNOT SEE');
  });
});
