import { isUtf8 } from 'node:buffer';
import type { BigIntStats } from 'node:fs';
import { lstat, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { faultOfName, isLeftover } from '../archive/entry-names.ts';
import type { Config, UploadRoot, UploadRootName } from '../config/config.ts';
import { hasCode } from '../errors/error-code.ts';
import { reasonOf } from '../errors/failure.ts';
import { ownPrefix } from '../platform/own-files.ts';

/** An uploaded file. */
export interface UploadFile {
  /** The member of an archive that holds it. */
  readonly member: string;
  readonly path: string;
  /** Bytes. */
  readonly size: number;
}

/** Something that is there and is not kept. */
export interface Skipped {
  readonly path: string;
  /** `it is a symbolic link` */
  readonly why: string;
}

/** What lies in the folders of uploads. */
export interface Uploads {
  /** The roots whose folders exist. */
  readonly roots: readonly UploadRootName[];
  readonly files: readonly UploadFile[];
  readonly skipped: readonly Skipped[];
  /** Of all files. */
  readonly bytes: number;
}

/** What the application lists as a backup, and what is none yet. */
const archives = /\.(zip|partial)$/;

interface Search {
  readonly files: UploadFile[];
  readonly skipped: Skipped[];
  /** Folders that are left out: the backups, and the other roots. */
  readonly excluded: ReadonlySet<string>;
  /** The folder that a database file lies in, if there is one. */
  readonly home: string | null;
  /** Whether a name in it is the database's, or that of something that lies beside it on its account. */
  readonly isDatabase: (name: string) => boolean;
}

/** What SQLite and db-init put beside a database file. */
const companion = /^($|-wal$|-shm$|-journal$|\.(db-init-(lock|rehearsal)|bak_|restore_|quarantine_))/;

/**
 * Finds all uploaded files without following symbolic links. The backup folder and the database file may lie among
 * them, and are left out.
 * @throws Error that names what cannot be read
 */
export async function findUploads({
  uploadRoots,
  backupFolder,
  database,
}: Pick<Config, 'uploadRoots' | 'backupFolder' | 'database'>): Promise<Uploads> {
  const file = database.kind === 'sqlite' ? database.file : null;
  const own = file === null ? null : basename(file);
  const backups = identityOf(await lookAt(backupFolder, stat));
  const found = await findRoots(uploadRoots);
  const search: Search = {
    files: [],
    skipped: [],
    excluded: new Set([backups ?? '', ...found.keys()]),
    home: file === null ? null : identityOf(await lookAt(dirname(file), stat)),
    isDatabase: (entry) => own !== null && entry.startsWith(own) && companion.test(entry.slice(own.length)),
  };
  for (const [identity, { folder, name }] of found) {
    const isBackups = identity === backups;
    await walk(
      { folder, identity, member: name },
      search,
      (entry) => !(isBackups && (entry === ownPrefix || archives.test(entry))),
    );
  }
  const { files, skipped } = search;
  const roots = [...found.values()].map(({ name }) => name);
  return { roots, files, skipped, bytes: files.reduce((sum, { size }) => sum + size, 0) };
}

/** The roots that are there, each folder once. */
async function findRoots(roots: readonly UploadRoot[]): Promise<ReadonlyMap<string, UploadRoot>> {
  const found = new Map<string, UploadRoot>();
  for (const root of roots) {
    const stats = await lookAt(root.folder, stat);
    const identity = identityOf(stats);
    if (identity === null || found.has(identity)) continue;
    if (stats?.isDirectory() === false) throw new Error(`${root.folder} is no folder`);
    found.set(identity, root);
  }
  return found;
}

interface Place {
  readonly folder: string;
  readonly identity: string | null;
  /** The member of an archive that it would be. */
  readonly member: string;
}

async function walk(
  { folder, identity, member }: Place,
  search: Search,
  wanted: (entry: string) => boolean = () => true,
): Promise<void> {
  const isHome = identity !== null && identity === search.home;
  for (const entry of await entriesOf(folder, search)) {
    if (isLeftover(entry) || !wanted(entry) || (isHome && search.isDatabase(entry))) continue;
    await visit(join(folder, entry), `${member}/${entry}`, search);
  }
}

async function visit(path: string, member: string, search: Search): Promise<void> {
  const { files, skipped, excluded } = search;
  const stats = await lookAt(path, lstat);
  const fault = faultOfName(member);
  if (stats === null) skipped.push({ path, why: 'it vanished meanwhile' });
  else if (stats.isSymbolicLink()) skipped.push({ path, why: 'it is a symbolic link' });
  else if (fault !== null) skipped.push({ path, why: fault });
  else if (stats.isFile()) files.push({ member, path, size: Number(stats.size) });
  else if (!stats.isDirectory()) skipped.push({ path, why: 'it is neither a file nor a folder' });
  else if (!excluded.has(identityOf(stats) ?? ''))
    await walk({ folder: path, identity: identityOf(stats), member }, search);
}

/** The names in a folder, in order. Those that are no text cannot stand in an archive. */
async function entriesOf(folder: string, { skipped }: Search): Promise<readonly string[]> {
  const names = await unlessDeleted(folder, () => readdir(folder, { encoding: 'buffer' }));
  if (names === null) skipped.push({ path: folder, why: 'it vanished meanwhile' });
  const texts: string[] = [];
  for (const name of names ?? []) {
    if (isUtf8(name)) texts.push(name.toString());
    else skipped.push({ path: join(folder, name.toString('latin1')), why: 'its name is not UTF-8' });
  }
  return texts.toSorted();
}

type Looking = (path: string, options: { bigint: true }) => Promise<BigIntStats>;

function lookAt(path: string, looking: Looking): Promise<BigIntStats | null> {
  return unlessDeleted(path, () => looking(path, { bigint: true }));
}

/** Tells folders apart, whatever they are called. */
function identityOf(stats: BigIntStats | null): string | null {
  return stats && `${stats.dev}:${stats.ino}`;
}

/** Null for what is not there any more. @throws Error that names what cannot be read */
export async function unlessDeleted<Result>(path: string, work: () => Promise<Result>): Promise<Result | null> {
  try {
    return await work();
  } catch (error) {
    // it is gone, or a link or a socket has taken its place
    if (hasCode(error, 'ENOENT', 'ELOOP', 'ENXIO')) return null;
    throw notReadable(path, error);
  }
}

/** `/data/uploads/a.png cannot be read (EACCES: permission denied)` */
export function notReadable(path: string, error: unknown): Error {
  return new Error(`${path} cannot be read (${reasonOf(error).replace(/,.*/s, '')})`, { cause: error });
}
