import { chmod, cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import AdmZip from 'adm-zip';
import { execa } from 'execa';
import { beforeAll, expect, it } from 'vitest';
import { atEnd } from '../../support/cleanup.ts';
import { execute, admin, createDatabase, databaseUrl, type TestDatabase } from '../../support/database.ts';
import { describePostgres, requirePostgres } from '../../support/postgres-server.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { ask, currentArchive, type Installation, install, uploadsIn, uploadsOf } from '../restore/restores.ts';

/** The values for the names in banners, and the folder in which the replaced `docker` works. */
interface Stage extends Installation {
  /** The working directory of the commands. */
  readonly host: string;
  /** Runs the commands of an option unchanged in a shell. */
  readonly type: (option: string) => Promise<{ readonly exitCode: number | undefined; readonly all: string }>;
}

const entrypoint = join(import.meta.dirname, '../../../entrypoint');

/** Replaces Docker: runs the command of a container here, with the names of this test's server. */
const docker = `#!/bin/bash
set -e
[ "$1" = compose ] || exit 99
shift
case "$1" in
  stop) exit 0 ;;
  up) touch started ;;
  run)
    shift
    program="$ENTRYPOINT_OF_DB_INIT"
    while [ "$1" != db-init ]; do if [ "$1" = --entrypoint ]; then program="$2"; shift; fi; shift; done
    shift
    exec "$program" "$@"
    ;;
esac
`;

async function prepare(): Promise<Stage> {
  const made = await install('postgresql', { env: { TT_COMMAND_PREFIX: 'docker compose run --rm db-init' } });
  const { root, database, env } = made;
  const [host, bin] = [join(root, 'host'), join(root, 'bin')];
  await mkdir(host);
  await mkdir(bin);
  await writeFile(join(bin, 'docker'), docker);
  await chmod(join(bin, 'docker'), 0o755);
  const server = new URL(requirePostgres().url);
  const formers = ['before', 'restored'].map((what) => `${database.name}_${what}`);
  atEnd(async () => {
    for (const name of formers) await admin(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  });
  return {
    ...made,
    host,
    async type(option) {
      const script = option.replaceAll(/^ {2}/gm, '').replaceAll('/app/app/static/uploads', made.statics);
      const { exitCode, all } = await execa('bash', ['-c', script], {
        cwd: host,
        reject: false,
        all: true,
        extendEnv: false,
        env: {
          ...env,
          PATH: `${bin}:${requirePostgres().binDirectory ?? ''}:${process.env['PATH'] ?? ''}`,
          ENTRYPOINT_OF_DB_INIT: entrypoint,
          PGPASSWORD: server.password,
          TT_BACKUP_BEFORE_MIGRATE: 'never',
        },
      });
      return { exitCode, all };
    },
  };
}

/** The commands of the first option of a banner. */
function firstCommands(banner: string): string {
  const [, option = ''] = /^1\. (.*?)(?=^ {0,1}\d+\. |^=====)/ms.exec(banner) ?? [];
  const lines = option.split('\n').map((line) => line.slice(3));
  // commands after the block that is one command have their own case
  const commands = lines.filter((line) => line.startsWith('  '));
  const end = commands.findIndex((line) => !line.endsWith('\\'));
  return commands.slice(0, end + 1).join('\n');
}

/** The result is verified instead of restored; other tests restore it. */
const verifying = (commands: string): string => commands.replace(/restore (\S+)$/, 'backup verify $1');

describePostgres(
  'the advice for a file that is no archive',
  () => {
    let source: TestDatabase;
    const archive = currentArchive('postgresql');
    beforeAll(async () => {
      source = await createDatabase();
      await execute(
        source,
        "CREATE TABLE notes (id serial PRIMARY KEY, text text); INSERT INTO notes (text) VALUES ('ä;')",
      );
    });

    const dump = async (...args: readonly string[]): Promise<Buffer> => {
      const { stdout } = await execa(join(requirePostgres().binDirectory ?? '', 'pg_dump'), [...args, source.url], {
        encoding: 'buffer',
      });
      return Buffer.from(stdout);
    };
    const packed = async (command: string, prepareFolder: (folder: string) => Promise<void>): Promise<Buffer> => {
      const folder = await temporaryDirectory();
      await mkdir(join(folder, 'in'));
      await prepareFolder(join(folder, 'in'));
      await execa('bash', ['-c', command], { cwd: folder });
      return readFile(join(folder, 'out'));
    };
    const unpackedArchive = async (folder: string): Promise<void> => {
      new AdmZip(archive).extractAllTo(folder);
    };

    const files: readonly (readonly [string, string, () => Promise<Buffer>])[] = [
      ['a plain dump', 'backup.sql', () => dump('--no-owner')],
      ['a packed plain dump', 'backup.sql.gz', async () => gzipSync(await dump('--no-owner'))],
      ['a custom dump', 'my backup.dump', () => dump('--format=custom')],
      ['a packed custom dump', 'backup.gz', async () => gzipSync(await dump('--format=custom'))],
      ['a dump in tar format', 'backup.tar', () => dump('--format=tar')],
      ['a packed dump in tar format', 'backup.tar.gz', async () => gzipSync(await dump('--format=tar'))],
      [
        'a packed dump in directory format',
        'backup.tgz',
        () => packed(`pg_dump -Fd -f in/dump "${source.url}" && tar -czf out -C in dump`, async () => undefined),
      ],
    ];

    it.each(files)('restores it, and keeps the former database: %s', async (_title, name, make) => {
      const stage = await prepare();
      await writeFile(join(stage.backups, name), await make());
      await execute(stage.database, 'CREATE TABLE of_mine (id integer)');
      const refused = await stage.run('restore', name, '--yes');
      expect(refused.exitCode, refused.all).toBe(32);
      const typed = await stage.type(firstCommands(refused.stderr));
      expect(typed.exitCode, typed.all).toBe(0);
      expect(await ask(stage.database, 'SELECT text FROM notes')).toEqual(['ä;']);
      expect(await readdir(stage.host)).toContain('started');
      const former = { ...stage.database, url: databaseUrl(`${stage.database.name}_before`) };
      expect(await ask(former, 'SELECT count(*)::int FROM of_mine')).toEqual([0]);
    });

    it('leaves the live database unchanged if the dump cannot be restored', async () => {
      const stage = await prepare();
      await writeFile(join(stage.backups, 'bad.sql'), '-- PostgreSQL database dump\nCREATE TABLE a (id integer;\n');
      await execute(stage.database, 'CREATE TABLE of_mine (id integer)');
      const refused = await stage.run('restore', 'bad.sql', '--yes');
      const typed = await stage.type(firstCommands(refused.stderr));
      expect(typed.exitCode, typed.all).not.toBe(0);
      expect(await readdir(stage.host)).not.toContain('started');
      expect(await ask(stage.database, "SELECT to_regclass('of_mine')::text")).toEqual(['of_mine']);
    });

    const folders: readonly (readonly [string, string, () => Promise<Buffer>])[] = [
      ['an unpacked archive as tar', 'mine.tar', () => packed('tar -cf out in', unpackedArchive)],
      ['an unpacked archive as packed tar', 'mine.tgz', () => packed('tar -czf out -C in .', unpackedArchive)],
      [
        'an archive in a packed volume',
        'volume.tar.gz',
        () =>
          packed('tar -czf out in', async (folder) => {
            await mkdir(join(folder, 'uploads/backups'), { recursive: true });
            await cp(archive, join(folder, 'uploads/backups/one.zip'));
          }),
      ],
      [
        'an archive in another one',
        'zipped.zip',
        async () => {
          const zip = new AdmZip();
          zip.addLocalFile(archive, 'folder');
          return zip.toBuffer();
        },
      ],
    ];

    it.each(folders)('unpacks an archive that can be restored: %s', async (_title, name, make) => {
      const stage = await prepare();
      await writeFile(join(stage.backups, name), await make());
      const refused = await stage.run('restore', name, '--yes');
      expect(refused.exitCode, refused.all).toBe(32);
      const typed = await stage.type(verifying(firstCommands(refused.stderr)));
      expect(typed.exitCode, typed.all).toBe(0);
      expect(typed.all).toMatch(/The archive is whole: .*uploads: +7 files/s);
    });

    it('packs a folder into an archive that can be restored', async () => {
      const stage = await prepare();
      await unpackedArchive(join(stage.backups, 'unpacked archive'));
      const refused = await stage.run('restore', 'unpacked archive', '--yes');
      expect(refused.exitCode, refused.all).toBe(32);
      const typed = await stage.type(verifying(firstCommands(refused.stderr)));
      expect(typed.exitCode, typed.all).toBe(0);
      expect(typed.all).toContain('The archive is whole');
    });

    it('restores uploads without a database', async () => {
      const stage = await prepare();
      const zip = new AdmZip();
      zip.addFile('uploads/logos/theirs.png', Buffer.from('theirs'));
      await writeFile(join(stage.backups, 'uploads.zip'), zip.toBuffer());
      const refused = await stage.run('restore', 'uploads.zip', '--yes');
      const commands = refused.stderr.split('\n').filter((line) => /^ +(docker|tar|unzip)/.test(line));
      const typed = await stage.type(
        commands
          .map((line) => line.trim())
          .slice(1, 4)
          .join('\n'),
      );
      expect(typed.exitCode, typed.all).toBe(0);
      expect(await uploadsIn(stage.statics)).toMatchObject({
        'logos/theirs.png': 'theirs',
        'logos/mine.png': 'my logo',
      });
    });

    it('is not needed for an archive that was unpacked and packed again', async () => {
      const stage = await prepare();
      const zip = new AdmZip();
      for (const entry of new AdmZip(archive).getEntries())
        zip.addFile(`my backup/${entry.entryName}`, entry.getData());
      for (const name of ['.DS_Store', 'uploads/.DS_Store', 'uploads/Thumbs.db', 'desktop.ini']) {
        zip.addFile(`my backup/${name}`, Buffer.from('x'));
      }
      zip.addFile('__MACOSX/my backup/._manifest.json', Buffer.from('x'));
      await writeFile(join(stage.backups, 'again.zip'), zip.toBuffer());
      const listed = await stage.run('backup', 'list');
      expect(listed.stdout).toMatch(/again\.zip .* application .* looks whole/);
      expect((await stage.run('backup', 'verify', 'again.zip')).stdout).toContain('The archive is whole');
      const restored = await stage.run('restore', 'again.zip', '--yes');
      expect(restored.exitCode, restored.all).toBe(0);
      expect(await ask(stage.database, 'SELECT count(*)::int FROM users')).toEqual([16]);
      expect(await uploadsIn(stage.statics)).toEqual(uploadsOf(archive));
    });

    it('names the newer release for a backup of a newer database', async () => {
      const { database, run } = await install('postgresql', { database: await createDatabase() });
      await execute(
        database,
        "CREATE TABLE alembic_version (version_num varchar); INSERT INTO alembic_version VALUES ('999_x')",
      );
      const made = await run('backup', 'create');
      expect(made.exitCode, made.all).toBe(0);
      expect(made.all).toMatch(/WARNING: This image cannot restore the backup: .*999_x/);
    });
  },
  'tools',
);
