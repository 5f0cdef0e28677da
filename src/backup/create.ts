import type { ArchiveKind } from '../model/archive.ts';
import { randomBytes } from 'node:crypto';
import { rm, stat } from 'node:fs/promises';
import { join, dirname } from 'node:path';
import { PassThrough, Transform, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  archiveName,
  type Manifest,
  manifestName,
  type ListedEntry,
  renderListedEntry,
  renderManifestAround,
  settingsName,
} from '../archive/manifest.ts';
import { verifyEntries } from '../archive/verify-contents.ts';
import { type Archive, noLimits, openArchive } from '../archive/reader.ts';
import type { UploadRoot, Config, UploadRootName } from '../config/config.ts';
import { namesOf } from '../database/target-name.ts';
import { Failure, reasonOf } from '../errors/failure.ts';
import { releaseGraph } from '../migration/revisions.ts';
import { describeUnknownRevisions, backupMessages } from '../report/backup-messages.ts';
import { rejectionReason } from '../report/archive-reasons.ts';
import { openProgress, type Progress, progressLabels } from '../report/progress.ts';
import { type BackupContext, backupFailure } from './context.ts';
import { type Dumper, openDumper } from './dumper.ts';
import { type Destination, giveName, prepareFolder, requireSpace, tagOf, removePartialFiles } from './destination.ts';
import { findArchives } from './retention.ts';
import { findUploads, measureUploads, addUploads } from './uploads.ts';
import { tmpdir } from 'node:os';
import { spoolBytes } from '../platform/spooled-bytes.ts';
import { createArchive } from '../archive/writer.ts';
import { causeOf } from '../database/error-cause.ts';

export interface BackupRequest {
  readonly kind: ArchiveKind;
  /** The existing upload folders that go into the archive. */
  readonly uploadRoots: readonly UploadRoot[];
  readonly destination: Destination;
  /** Whether the database is healthy, for the manifest; undefined where that is unknown. */
  readonly healthy?: boolean;
  /** Whether an intact archive of the same kind with the same database content replaces a new one. */
  readonly reuseEqual?: boolean;
}

/** An archive that was written, read back and found whole. */
export interface Backup {
  readonly path: string;
  /** Bytes of the archive. */
  readonly size: number;
  readonly manifest: Manifest;
  /** How many uploads of each root it holds; null for an archive that existed before. */
  readonly files: UploadCounts | null;
  /** Whether the archive existed before and holds what the database holds now. */
  readonly repeated: boolean;
}

/**
 * Makes an archive of the database and of uploads, in the application's own format. The file is called `.partial`
 * until it has been verified. A failure removes it; after a kill, the next run does. Call it under the run lock.
 * @throws Failure `backup-failed`
 */
export async function createBackup(context: BackupContext, request: BackupRequest): Promise<Backup> {
  const { database, config, signal } = context;
  const { folder, file } = request.destination;
  const createdAt = new Date();
  const tag = tagOf(database.name);
  const plain = join(folder, archiveName(createdAt));
  const partial = `${plain}.${tag}.partial`;
  await prepareFolder(folder, context);
  try {
    for (const name of namesOf(config.database)) await removePartialFiles(folder, tagOf(name));
    const dumper = await openDumper(context, copyBeside(plain, tag));
    const places = { uploadRoots: request.uploadRoots, backupFolder: config.backupFolder, database: config.database };
    const uploadBytes = await measureUploads(await findUploads(places), signal);
    requireSpace(folder, dumper.space + dumper.scratch + uploadBytes, context);
    const { manifest, files } = await writeArchive(partial, dumper, context, {
      kind: request.kind,
      createdAt,
      places,
      uploadBytes,
      ...(request.healthy !== undefined && { healthy: request.healthy }),
    });
    signal.throwIfAborted();
    const same = request.reuseEqual === true ? await findSame(folder, manifest, dumper, context) : null;
    if (same !== null) {
      await rm(partial, { force: true });
      return { path: same, size: (await stat(same)).size, manifest, files: null, repeated: true };
    }
    await readBack(partial, dumper, context);
    signal.throwIfAborted();
    const path = await giveName(partial, file ?? plain, request.destination);
    const unknown = manifest.revisions.filter((revision) => !releaseGraph.knows(revision));
    if (unknown.length > 0) context.log.warn(describeUnknownRevisions(unknown));
    return { path, size: (await stat(path)).size, manifest, files, repeated: false };
  } catch (error) {
    await rm(partial, { force: true });
    if (signal.aborted || namesItsCause(error)) throw error;
    throw backupFailure(context, { kind: 'failed', reason: rejectionReason(error), cause: causeOf(error) });
  }
}

/**
 * Writes an archive to a stream. A stream cannot be read back, so `pg_restore` reads the dump while it is written. A
 * failure leaves an archive without its end, which no restore accepts. Call it under the run lock.
 * @throws Failure `backup-failed`
 */
export async function streamBackup(
  context: BackupContext,
  into: Writable,
  uploadRoots: readonly UploadRoot[],
): Promise<Written> {
  const { database, config, signal } = context;
  const { backupFolder: folder } = config;
  const createdAt = new Date();
  const tag = tagOf(database.name);
  try {
    const dumper = await openDumper(context, copyBeside(join(folder, archiveName(createdAt)), tag));
    if (dumper.scratch > 0) {
      await prepareFolder(folder, context);
      for (const name of namesOf(config.database)) await removePartialFiles(folder, tagOf(name));
      requireSpace(folder, dumper.scratch, context);
    }
    const places = { uploadRoots, backupFolder: folder, database: config.database };
    return await writeArchive(into, verifiedWhileWritten(dumper), context, { kind: 'manual', createdAt, places });
  } catch (error) {
    const known = error instanceof Failure && error.problem.kind === 'backup-failed' ? error.problem : null;
    if (signal.aborted || (known === null && namesItsCause(error))) throw error;
    const failed = { kind: 'failed', reason: rejectionReason(error), cause: causeOf(error) } as const;
    const facts = { kind: 'backup-failed', database: database.name, purpose: 'manual', streamed: true } as const;
    throw new Failure({ ...facts, obstacle: known?.obstacle ?? failed }, { cause: error });
  }
}

/** A path that no earlier run used: a process that outlived a killed run may still write its copy. */
const copyBeside = (archive: string, tag: string): string =>
  `${archive}.${randomBytes(4).toString('hex')}.${tag}.sqlite.partial`;

/** Returns a dumper that verifies the copy while it writes the copy. */
function verifiedWhileWritten(dumper: Dumper): Dumper {
  return {
    ...dumper,
    async copy(into, onBegin) {
      const copyToVerify = new PassThrough();
      // the destroyed stream reports the error to the other parts
      copyToVerify.on('error', () => undefined);
      const fork = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          if (copyToVerify.write(chunk)) done(null, chunk);
          else copyToVerify.once('drain', () => done(null, chunk));
        },
        flush(done) {
          copyToVerify.end();
          done();
        },
      });
      const verified = dumper.verify(copyToVerify).finally(() => copyToVerify.resume());
      const parts = [dumper.copy(fork, onBegin), pipeline(fork, into), verified] as const;
      try {
        const [contents] = await Promise.all(parts);
        return contents;
      } catch (error) {
        // one part failed: stop the others, which would wait for it
        fork.destroy();
        copyToVerify.destroy();
        await Promise.allSettled(parts);
        throw error;
      }
    },
  };
}

/**
 * Whether an error is reported as it is, and not as a failed backup: an unreadable database, a lost connection and
 * missing rights have their own messages and exit codes.
 */
function namesItsCause(error: unknown): boolean {
  return (
    error instanceof Failure && /^(backup-failed|unreadable|connection-lost|missing-rights)$/.test(error.problem.kind)
  );
}

/** Finds a whole archive that holds the same database as one that was just written. */
async function findSame(
  folder: string,
  { kind, content, revisions }: Manifest,
  dumper: Dumper,
  context: BackupContext,
): Promise<string | null> {
  const names = namesOf(context.config.database);
  for (const { path, manifest } of await findArchives({ folder, kind, names })) {
    if (content === undefined || manifest.content !== content || manifest.revisions.join() !== revisions.join())
      continue;
    try {
      await readBack(path, dumper, context);
      return path;
    } catch (error) {
      context.signal.throwIfAborted();
      context.log.warn(backupMessages.damagedSibling(path, reasonOf(error)));
    }
  }
  return null;
}

/**
 * Opens an archive. Warns if a restore would refuse it for its size or its compression ratio, but opens it in any case.
 */
async function openWhateverItsSize(file: string, { config, log }: BackupContext): Promise<Archive> {
  try {
    return await openArchive(file, config.archiveLimits);
  } catch (error) {
    const fault = error instanceof Failure && error.problem.kind === 'archive-rejected' ? error.problem.fault : null;
    if (fault?.kind !== 'too-large') throw error;
    log.warn(backupMessages.beyondLimits(fault));
    return openArchive(file, noLimits);
  }
}

/** Reads back every entry of the archive. @throws Failure `backup-failed` */
async function readBack(file: string, dumper: Dumper, context: BackupContext): Promise<void> {
  const { log, output, signal } = context;
  try {
    const archive = await openWhateverItsSize(file, context);
    const progress = openProgress({ label: progressLabels.readingBack, total: archive.size, log, output });
    try {
      await verifyEntries(archive, {
        verifyDatabase: (content) => dumper.verify(content),
        onBytes: (bytes) => progress.add(bytes),
        signal,
      });
    } finally {
      progress.end();
    }
  } catch (error) {
    signal.throwIfAborted();
    throw backupFailure(context, { kind: 'not-proven', reason: rejectionReason(error) });
  }
}

/** The kind of the archive, and the uploads that go into it beside the database. */
export interface ArchiveRequest extends Pick<Manifest, 'kind' | 'createdAt' | 'healthy'> {
  readonly places: Pick<Config, 'uploadRoots' | 'backupFolder' | 'database'>;
  /** Bytes of the uploads, for the progress. They are measured if it is left out. */
  readonly uploadBytes?: number;
}

export interface Written {
  readonly manifest: Manifest;
  readonly files: UploadCounts;
  /** How many entries, and their bytes before compression. */
  readonly entries: number;
  readonly bytes: number;
}

export type UploadCounts = Readonly<Partial<Record<UploadRootName, number>>>;

/**
 * Writes an archive into a new file or a stream. It copies the database first: a file to which a row refers was
 * written before the row.
 * @throws Error that says what could not be read or written
 */
export async function writeArchive(
  into: string | Writable,
  dumper: Dumper,
  context: BackupContext,
  { kind, createdAt, healthy, places, uploadBytes }: ArchiveRequest,
): Promise<Written> {
  const { database, version } = context;
  let progress: Progress | null = null;
  const end = (): void => progress?.end();
  const begin = (label: string, total: number | null): void => {
    end();
    progress = openProgress({ ...context, label, total });
  };
  const archive = createArchive(into, (bytes) => progress?.add(bytes));
  // the manifest's line for each upload
  const listed = spoolBytes(typeof into === 'string' ? dirname(into) : tmpdir());
  try {
    const copied = await archive.add(dumper.entryName, dumper.compress, (content) =>
      dumper.copy(content, (total) => begin(progressLabels.copyingDatabase, total)),
    );
    const { revisions, rows, settings, digest } = copied.result;

    const uploads = await findUploads(places);
    begin(progressLabels.copyingUploads, uploadBytes ?? (await measureUploads(uploads, context.signal)));
    const files: Partial<Record<UploadRootName, number>> = {};
    let [entries, bytes] = [0, 0];
    const onAdded = (root: UploadRootName, name: string, entry: ListedEntry): void => {
      entries += 1;
      bytes += entry.size;
      files[root] = (files[root] ?? 0) + 1;
      listed.append(Buffer.from(renderListedEntry(name, entry)));
    };
    await addUploads(archive, uploads, onAdded, context);

    const written = await archive.addText(settingsName, `${JSON.stringify(settings, null, 2)}\n`);
    const manifest: Manifest = {
      engine: database.engine,
      kind,
      createdAt,
      version,
      database: database.name,
      server: database.serverVersion,
      tool: dumper.tool,
      revisions,
      rows,
      entries: { [dumper.entryName]: copied.listed, [settingsName]: written },
      uploads: uploads.roots,
      content: digest ?? copied.listed.sha256,
      ...(healthy !== undefined && { healthy }),
    };
    const { listed: described } = await archive.add(manifestName, true, (content) =>
      pipeline(renderManifestAround(manifest, listed.read()), content),
    );
    await archive.finish();
    for (const { size } of [copied.listed, written, described]) {
      entries += 1;
      bytes += size;
    }
    return { manifest, files, entries, bytes };
  } catch (error) {
    await archive.abandon();
    throw error;
  } finally {
    listed.close();
    end();
  }
}
