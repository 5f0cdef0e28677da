import { createHash } from 'node:crypto';
import { access, constants, link, mkdir, open, rename, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  type ArchiveKind,
  archiveName,
  type Manifest,
  manifestMember,
  renderManifest,
  settingsMember,
} from '../archive/manifest.ts';
import { proveArchive } from '../archive/proof.ts';
import { createArchive } from '../archive/writer.ts';
import { Failure, reasonOf } from '../failure.ts';
import { type BackupContext, backupFailure } from './context.ts';
import { type Copier, openCopier } from './copy.ts';
import { removeLeftovers } from './leftovers.ts';

/** An archive that was written, read back and found whole. */
export interface Backup {
  readonly path: string;
  /** Bytes of the archive. */
  readonly size: number;
  readonly manifest: Manifest;
}

/**
 * Makes an archive of the database in the backup folder, in the application's own format. It bears its name only
 * when it was proven; before that it is a `.partial`, which a failure takes away and the next run otherwise.
 * To be called under the run lock.
 * @throws Failure `backup-failed`
 */
export async function createBackup(context: BackupContext, kind: ArchiveKind): Promise<Backup> {
  const { config, database, signal } = context;
  const createdAt = new Date();
  const tag = tagOf(database.name);
  const wanted = join(config.backupFolder, archiveName(createdAt));
  const partial = `${wanted}.${tag}.partial`;
  await prepareFolder(context);
  try {
    await removeLeftovers(config.backupFolder, tag);
    const copier = await openCopier(context, `${wanted}.${tag}.sqlite.partial`);
    await requireSpace(copier.space, context);
    const manifest = await write(partial, copier, context, { kind, createdAt });
    signal.throwIfAborted();
    await prove(partial, copier, context);
    signal.throwIfAborted();
    const path = await giveName(partial, wanted);
    return { path, size: (await stat(path)).size, manifest };
  } catch (error) {
    await rm(partial, { force: true });
    if (signal.aborted || error instanceof Failure) throw error;
    throw backupFailure(context, { kind: 'failed', reason: reasonOf(error) });
  }
}

/** Tells the unfinished files of this database from those of another one that has its backups in the same folder. */
function tagOf(database: string): string {
  return createHash('sha256').update(database).digest('hex').slice(0, 8);
}

async function prepareFolder(context: BackupContext): Promise<void> {
  const { backupFolder: folder } = context.config;
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw backupFailure(context, { kind: 'folder', folder, reason: reasonOf(error) });
  }
}

/** The folder may share its disk with the database: better no backup than a full disk. */
async function requireSpace(needed: number, context: BackupContext): Promise<void> {
  const { backupFolder: folder } = context.config;
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free < needed) throw backupFailure(context, { kind: 'no-space', folder, needed, free });
}

async function write(
  file: string,
  copier: Copier,
  { database, version }: BackupContext,
  { kind, createdAt }: Pick<Manifest, 'kind' | 'createdAt'>,
): Promise<Manifest> {
  const archive = createArchive(file);
  try {
    const copied = await archive.add(copier.member, copier.compress, (into) => copier.copy(into));
    const { revisions, rows, settings } = copied.result;
    const written = await archive.addText(settingsMember, `${JSON.stringify(settings, null, 2)}\n`);
    const manifest: Manifest = {
      engine: database.engine,
      kind,
      createdAt,
      version,
      database: database.name,
      server: database.serverVersion,
      tool: copier.tool,
      revisions,
      rows,
      members: { [copier.member]: copied.member, [settingsMember]: written },
      uploads: 'not included',
    };
    await archive.addText(manifestMember, renderManifest(manifest));
    await archive.finish();
    return manifest;
  } catch (error) {
    await archive.abandon();
    throw error;
  }
}

async function prove(file: string, copier: Copier, context: BackupContext): Promise<void> {
  try {
    await proveArchive(file, async (name, content) => {
      if (name === copier.member) await copier.prove(content);
      else content.resume();
    });
  } catch (error) {
    throw backupFailure(context, { kind: 'not-proven', reason: reasonOf(error) });
  }
}

/** Gives a proven archive its name, or the next one that is free: nothing is ever overwritten. */
async function giveName(partial: string, wanted: string): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const path = attempt === 1 ? wanted : wanted.replace(/\.zip$/, `_${attempt}.zip`);
    if (!(await take(partial, path))) continue;
    const folder = await open(dirname(path));
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
    return path;
  }
}

/** @returns false if the name is taken */
async function take(partial: string, path: string): Promise<boolean> {
  try {
    // unlike a rename, a link never replaces what is there
    await link(partial, path);
    await rm(partial);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    // file systems without hard links: other runs are kept away by the lock
    if (await stat(path).catch(() => null)) return false;
    await rename(partial, path);
    return true;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : null;
}
