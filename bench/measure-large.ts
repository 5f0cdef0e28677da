import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { noLimits, openArchive } from '../src/archive/reader.ts';
import { openDumper } from '../src/backup/dumper.ts';
import { unpackDump, restorerFor } from '../src/restore/load-and-verify.ts';
import { largeFile, largePostgres, largeSqlite, smallFiles } from './large.ts';
import { secondsOf, withProduct } from './product.ts';
import type { Result } from './table.ts';
import { type Bench, type BenchServer, entrypoint, memoryOf, sideBySide, timed } from './workbench.ts';
import { writeArchive } from '../src/backup/create.ts';

/** The sizes of the databases and the uploads. */
export interface Sizes {
  /** Bytes of a database. */
  readonly database: number;
  /** Bytes of uploads. */
  readonly uploads: number;
  /** The number of small uploads. */
  readonly files: number;
}

/** Small uploads: each takes time, even without content. */
const receipts = 20_000;
const rounds = 3;
const [throughput, sqliteThroughput] = [
  { kind: 'at least', ratio: 0.9 },
  { kind: 'at least', ratio: 1 },
] as const;

/** Backups and restores, compared with the tools that they use. */
export async function measureLarge({ folder, postgres }: Bench, sizes: Sizes): Promise<readonly Result[]> {
  // SQLite is much slower than PostgreSQL on both sides, and nobody keeps a gigabyte in it
  const results = [await backupOfSqlite(folder, sizes.database / 6), ...uploadsOfTwoSizes(folder, sizes.files)];
  if (postgres === null) return results;
  const url = await largePostgres(postgres, sizes.database);
  const archive = join(folder, 'ours.zip');
  const dump = join(folder, 'theirs.dump');
  results.push(
    await backupOfPostgres(postgres, { url, archive, dump }),
    await restoreOfPostgres(postgres, { url, archive, dump, folder }),
  );
  rmSync(archive);
  rmSync(dump);
  return [...results, ...memoryOfArchives(url, folder, sizes)];
}

/** Writes an archive without reading it back. */
async function backUp(url: string, archive: string): Promise<void> {
  await withProduct({ DATABASE_URL: url }, async (context) => {
    const places = { uploadRoots: [], backupFolder: '/nowhere', database: context.config.database };
    const copier = await openDumper(context, `${archive}.scratch`);
    await writeArchive(archive, copier, context, { kind: 'manual', createdAt: new Date(), places });
  });
}

async function backupOfSqlite(folder: string, bytes: number): Promise<Result> {
  const file = join(folder, 'large.db');
  const [archive, copy] = [join(folder, 'sqlite.zip'), join(folder, 'copy.db')];
  await largeSqlite(file, bytes);
  const seconds = await sideBySide(
    rounds,
    () => {
      rmSync(archive, { force: true });
      return secondsOf(() => backUp(`sqlite:///${file}`, archive));
    },
    () => {
      rmSync(copy, { force: true });
      const script = `sqlite3 "$0" "VACUUM INTO '$1'" && sqlite3 "$1" 'PRAGMA integrity_check' && gzip -6 -c "$1" >"$1.gz"`;
      return timed({ file: 'sh', args: ['-c', script, file, copy] });
    },
  );
  const plain = 'VACUUM INTO, integrity_check, gzip -6';
  return { what: `SQLite, backup of ${gigabytes(bytes)}`, ...seconds, plain, unit: 's', limit: sqliteThroughput };
}

async function backupOfPostgres(
  server: BenchServer,
  { url, archive, dump }: { url: string; archive: string; dump: string },
): Promise<Result> {
  const size = Number(await server.query(url, 'SELECT pg_database_size(current_database())'));
  const seconds = await sideBySide(
    rounds,
    () => {
      rmSync(archive, { force: true });
      return secondsOf(() => backUp(url, archive));
    },
    () => timed({ file: join(server.bin, 'pg_dump'), args: ['-Fc', '-f', dump, url] }),
  );
  const what = `PostgreSQL, backup of ${gigabytes(size)}`;
  return { what, ...seconds, plain: 'pg_dump -Fc', unit: 's', limit: throughput };
}

async function restoreOfPostgres(
  server: BenchServer,
  { url, archive, dump, folder }: { url: string; archive: string; dump: string; folder: string },
): Promise<Result> {
  const jobs = Math.min(availableParallelism(), 8);
  const options = [`--jobs=${jobs}`, '--exit-on-error', '--no-owner', '--no-acl'];
  const intoNew = async (load: (target: string) => Promise<number> | number): Promise<number> => {
    const target = await server.create();
    // the pages of the previous round are written before this one starts
    await server.query(url, 'CHECKPOINT');
    const seconds = await load(target);
    await server.drop(target);
    return seconds;
  };
  const seconds = await sideBySide(
    rounds,
    () => intoNew((target) => secondsOf(() => unpackAndLoad({ live: url, archive, target, jobs, folder }))),
    () =>
      intoNew((target) =>
        timed({ file: join(server.bin, 'pg_restore'), args: [...options, `--dbname=${target}`, dump] }),
      ),
  );
  const plain = `pg_restore --jobs=${jobs}`;
  return { what: 'PostgreSQL, restore of that', ...seconds, plain, unit: 's', limit: throughput };
}

/** Unpacks an archive and loads it into an empty database. */
async function unpackAndLoad(
  given: Readonly<{ live: string; archive: string; target: string; jobs: number; folder: string }>,
): Promise<void> {
  const folder = mkdtempSync(join(given.folder, 'load-'));
  await withProduct({ DATABASE_URL: given.live }, async (context) => {
    const { database: target } = context.config;
    if (target.kind !== 'postgresql') throw new Error('not a PostgreSQL database');
    const { signal } = context;
    const source = { archive: await openArchive(given.archive, noLimits), folder, unarchived: [] };
    const dump = await unpackDump(source, context);
    const { restorer } = await restorerFor(dump, source, context.database, target, context);
    const database = new URL(given.target).pathname.slice(1);
    await restorer.loadIntoDatabase({ ...target, database }, { role: null, jobs: given.jobs, signal });
  });
  rmSync(folder, { recursive: true });
}

/** Complete commands with their checks: the memory that they need does not depend on the amount of data. */
function memoryOfArchives(url: string, folder: string, { uploads }: Sizes): readonly Result[] {
  const place = (name: string): string => join(folder, 'volumes', name);
  const env = {
    DATABASE_URL: url,
    BACKUP_FOLDER: place('backups'),
    UPLOAD_FOLDER: place('data'),
    TT_STATIC_UPLOAD_FOLDER: place('static'),
    TT_ATTACHMENT_FOLDER: place('attachments'),
  };
  mkdirSync(place('backups'), { recursive: true });
  // one file that is stored uncompressed, and one that is compressed, which takes many times as long
  largeFile(join(env.UPLOAD_FOLDER, 'recording.mp4'), uploads * 0.9, 'bytes');
  largeFile(join(env.UPLOAD_FOLDER, 'measurements.csv'), uploads * 0.1, 'text');
  smallFiles(join(env.UPLOAD_FOLDER, 'receipts'), receipts);
  const archive = join(folder, 'large.zip');
  const create = memoryOf({ args: ['backup', 'create', '--output', archive], env }, folder);
  const restore = memoryOf({ args: ['restore', archive, '--yes'], env }, folder);
  const limit = { kind: 'at most', ratio: 1 } as const;
  const result = (what: string, ours: number): Result => {
    const subject = `PostgreSQL, ${what} of that and ${gigabytes(uploads)} in ${receipts + 2} uploads: memory`;
    return { what: subject, ours, plain: '', theirs: 150, unit: 'MiB', limit };
  };
  return [result('backup', create), result('restore', restore)];
}

/** Backups and restores of small uploads, and whether their time grows faster than the number of uploads. */
function uploadsOfTwoSizes(folder: string, files: number): readonly Result[] {
  const fewer = Math.round(files / growth);
  const few = measureUploads(folder, fewer);
  const many = measureUploads(folder, files);
  const growing = (command: 'backup' | 'restore'): Result => ({
    what: `SQLite, ${command} of ${files} small uploads`,
    ours: many[command].ours,
    plain: `${growth} × that of ${fewer}`,
    theirs: growth * few[command].ours,
    unit: 's',
    limit: { kind: 'at most', ratio: 1.2 },
  });
  return [...Object.values(few), ...Object.values(many), growing('backup'), growing('restore')];
}

/** The ratio of the two numbers of small uploads. */
const growth = 10;

/**
 * Complete commands with their checks, compared with tools that only pack and unpack: db-init also reads the archive
 * back, checks the hash of each file, and syncs everything to the disk. Only once, because it takes minutes.
 */
function measureUploads(folder: string, files: number): Readonly<Record<'backup' | 'restore', Result>> {
  const place = (name: string): string => join(folder, 'many', name);
  const env = {
    DATABASE_URL: `sqlite:///${place('timetracker.db')}`,
    BACKUP_FOLDER: place('backups'),
    UPLOAD_FOLDER: place('data'),
    TT_STATIC_UPLOAD_FOLDER: place('static'),
    TT_ATTACHMENT_FOLDER: place('attachments'),
  };
  for (const name of ['data', 'backups', 'unpacked']) mkdirSync(place(name), { recursive: true });
  smallFiles(env.UPLOAD_FOLDER, files);
  timed({ file: entrypoint, args: ['gate'], env });
  const archive = place('ours.zip');
  const backup = {
    ours: timed({ file: entrypoint, args: ['backup', 'create', '--output', archive], env }),
    theirs: timed({ file: 'sh', args: ['-c', 'cd "$0" && zip -qr "$1" .', env.UPLOAD_FOLDER, place('theirs.zip')] }),
  };
  const restore = {
    ours: timed({ file: entrypoint, args: ['restore', archive, '--yes'], env }),
    theirs: timed({ file: 'unzip', args: ['-q', archive, '-d', place('unpacked')] }),
  };
  rmSync(place(''), { recursive: true });
  const unit = 's';
  const limit = { kind: 'at most', ratio: 2 } as const;
  const what = `of ${files} small uploads`;
  return {
    backup: { what: `SQLite, backup ${what}`, ...backup, plain: 'zip', unit, limit },
    restore: { what: `SQLite, restore ${what}`, ...restore, plain: 'unzip', unit, limit },
  };
}

const gigabytes = (bytes: number): string => `${Number((bytes / 1e9).toPrecision(2))} GB`;
