import { chmod, chown, copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import AdmZip from 'adm-zip';
import { beforeAll, expect, it } from 'vitest';
import { releaseGraph } from '../../../src/migration/revisions.ts';
import { createDatabase } from '../../support/database.ts';
import { describePostgres } from '../../support/postgres-server.ts';
import { run } from '../../support/run.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { applicationArchive, archiveOfOurs, databaseOf, unknownRevision } from './crafted.ts';
import {
  relatedDatabases,
  currentArchive,
  describeRestores,
  type EngineName,
  everything,
  fillWithNewer,
  type Installation,
  install,
} from './restores.ts';

const head = releaseGraph.heads.join();
const nobody = 65_534;
const asRoot = process.getuid?.() === 0;

async function textFile(content: string | Buffer): Promise<string> {
  const path = join(await temporaryDirectory(), 'given');
  await writeFile(path, content);
  return path;
}

/** The real archive with a changed database and correct checksums. */
async function damaged(engine: EngineName, change: (content: Buffer) => Buffer): Promise<string> {
  const zip = new AdmZip(currentArchive(engine));
  const content = zip.readFile(engine === 'sqlite' ? 'db.sqlite' : 'db.dump') ?? Buffer.alloc(0);
  return applicationArchive(engine, change(content), head);
}

describeRestores('a restore that is refused', (engine) => {
  let place: Installation;
  let before: unknown;
  beforeAll(async () => {
    place = await install(engine);
    await fillWithNewer(place.database);
    before = await everything(place);
  });

  it.each([
    ['without consent', [currentArchive(engine)]],
    ['without a file', ['--yes']],
    ['with two files', ['a.zip', 'b.zip', '--yes']],
    ['of a file that is to be undone', ['a.zip', '--undo', '--yes']],
    ['with an undo for show', ['--undo', '--dry-run']],
    ['with an undo and a farewell', ['--undo', '--drop-former', '--yes']],
    ['with a farewell to a file', ['a.zip', '--drop-former']],
    ['with an unknown flag', ['a.zip', '--really']],
  ])('refuses wrong usage %s', async (_title, args) => {
    const { exitCode, stderr } = await place.run('restore', ...args);
    expect(exitCode, stderr).toBe(2);
  });

  it.each<[string, () => Promise<string>, RegExp]>([
    [
      'that does not exist',
      async () => '/nowhere/a.zip',
      /archive does not exist: a\.zip\s.*\/nowhere\/a\.zip does not exist/s,
    ],
    ['that is in neither of two folders', async () => 'b.zip', /Neither \S*\/b\.zip nor \S*\/backups\/b\.zip exists/],
    ['that is a folder', () => temporaryDirectory(), /folder|directory/],
    ['that is no archive', () => textFile('just words'), /not a ZIP|no ZIP/i],
    [
      'of plain SQL',
      () => textFile('--\n-- PostgreSQL database dump\n--\nSELECT 1;\n--\n-- PostgreSQL database dump complete\n--\n'),
      engine === 'sqlite' ? /contains objects that TimeTracker does not make/ : /psql/,
    ],
    [
      'of pg_dump',
      () => textFile(Buffer.from('PGDMP\u0001\u000e\0\u0004\u0008')),
      engine === 'sqlite' ? /header is cut off/ : /pg_restore/,
    ],
    [
      'of SQLite',
      async () => textFile(await databaseOf('sqlite', 'CREATE TABLE t (i int)')),
      /neither alembic_version nor any core table/,
    ],
    [
      'of the other engine with an invalid database',
      async () =>
        engine === 'sqlite'
          ? applicationArchive('postgresql', Buffer.from('PGDMP'), head)
          : applicationArchive('sqlite', Buffer.from('SQLite format 3\0'), head),
      /damaged|malformed|not a|cut off/,
    ],
    [
      'of an unknown revision',
      async () => applicationArchive(engine, Buffer.from(engine === 'sqlite' ? 'SQLite format 3\0' : 'PGDMP'), '999_x'),
      /999_x, which this image does not know/,
    ],
    [
      'whose database has an unknown revision',
      async () => applicationArchive(engine, await databaseOf(engine, unknownRevision), head),
      /has the table of another migration tool: alembic_version/,
    ],
    [
      'with other rows than in its manifest',
      async () =>
        archiveOfOurs(engine, await databaseOf(engine, unknownRevision), {
          revisions: [],
          rows: { alembic_version: 2, more: 1 },
        }),
      /alembic_version has 1 instead of 2, more has no table instead of 1/,
    ],
    [
      'with another revision than in its manifest',
      async () =>
        archiveOfOurs(engine, await databaseOf(engine, unknownRevision), {
          revisions: [head],
          rows: { alembic_version: 1 },
        }),
      new RegExp(`Its manifest says .*${head}.*, but in it is .*999_of_tomorrow`),
    ],
    [
      'of another application',
      async () => applicationArchive(engine, await databaseOf(engine, 'CREATE TABLE django_migrations (id int)'), head),
      /django_migrations/,
    ],
    [
      'of no application',
      async () => applicationArchive(engine, await databaseOf(engine, 'CREATE TABLE leftovers (id int)'), head),
      /corrupt/i,
    ],
    [
      'of an empty database',
      async () => applicationArchive(engine, await databaseOf(engine, 'CREATE TABLE t (i int); DROP TABLE t'), head),
      /database in it is empty: it has no tables\.(?!.*Use the image)/,
    ],
    ['with a database that was cut off', () => damaged(engine, (content) => content.subarray(0, -4000)), /\S/],
    ['with a database that was overwritten', () => damaged(engine, (content) => content.fill(0xe4, 300_000)), /\S/],
  ])('rejects an archive %s', async (_title, make, reason) => {
    const { exitCode, stderr } = await place.run('restore', await make(), '--yes');
    expect(exitCode, stderr).toBe(32);
    // a banner is broken into lines
    expect(stderr.replaceAll(/\s+/g, ' ')).toMatch(reason);
    expect(await relatedDatabases(place.database)).toHaveLength(1);
  });

  it.skipIf(!asRoot)('rejects an archive that it may not read', async () => {
    const file = join(await temporaryDirectory(), 'a.zip');
    await copyFile(currentArchive(engine), file);
    await chmod(file, 0o600);
    const { exitCode, stderr } = await run(['restore', file, '--yes'], { env: place.env, uid: nobody });
    expect(exitCode, stderr).toBe(32);
    expect(stderr.replaceAll(/\s+/g, ' ')).toMatch(/user that db-init runs as may not read the file/);
  });

  it('has no earlier database to go back to', async () => {
    for (const back of ['--undo', '--drop-former']) {
      const { exitCode, stderr } = await place.run('restore', back, '--yes');
      expect(exitCode, stderr).toBe(31);
      expect(stderr).toContain('There is nothing to go back to');
    }
  });

  it.each(['a file', 'a missing folder'])(
    'cannot restore uploads if their folder would be below %s',
    async (parent) => {
      const root = await temporaryDirectory();
      await writeFile(join(root, 'a file'), '');
      const statics = join(root, parent, 'uploads');
      const env = { ...place.env, TT_STATIC_UPLOAD_FOLDER: statics };
      const { exitCode, stderr } = await run(['restore', currentArchive(engine), '--yes'], { env });
      expect(exitCode, stderr).toBe(31);
      expect(stderr).toContain(statics);
      expect(stderr).toContain('--database-only');
    },
  );

  it('has changed nothing after all of these attempts', async () => {
    expect(await everything(place)).toEqual(before);
  });
});

describePostgres(
  'folders that cannot be written',
  () => {
    it.skipIf(!asRoot)('are reported before anything is done, and uploads can be left alone', async () => {
      const place = await install('postgresql', { database: await createDatabase() });
      const before = await everything(place);
      const archive = await applicationArchive('postgresql', await databaseOf('postgresql', unknownRevision), head);
      await Promise.all([chmod(archive, 0o644), chmod(join(archive, '..'), 0o755), chmod(place.root, 0o755)]);
      const restore = (...more: string[]) =>
        run(['restore', archive, '--yes', ...more], { env: place.env, uid: nobody });

      const noUploads = await restore();
      expect(noUploads.exitCode, noUploads.all).toBe(31);
      expect(noUploads.stderr).toContain(`The folder ${place.statics} cannot be used`);

      const noJournal = await restore('--database-only');
      expect(noJournal.exitCode, noJournal.all).toBe(31);
      expect(noJournal.stderr).toContain(`The folder ${place.backups} cannot be used`);
      expect(await everything(place)).toEqual(before);

      // it only fails at the database
      await chown(place.backups, nobody, nobody);
      const without = await restore('--database-only');
      expect(without.exitCode, without.all).toBe(32);
      expect(await everything(place)).toEqual(before);
    });
  },
  'tools',
);
