import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { dirname } from 'node:path';
import { tmpdir } from 'node:os';
import {
  type Manifest,
  manifestMember,
  type Member,
  renderMember,
  renderManifestAround,
  settingsMember,
} from '../archive/manifest.ts';
import { spoolBytes } from '../platform/spooled-bytes.ts';
import { createArchive } from '../archive/writer.ts';
import type { Config, UploadRootName } from '../config/config.ts';
import { openProgress, type Progress } from '../report/progress.ts';
import type { BackupContext } from './context.ts';
import type { Dumper } from './dumper.ts';
import { addUploads, findUploads, measureUploads } from './uploads.ts';

/** The kind of the archive, and the uploads that go into it beside the database. */
export interface Purpose extends Pick<Manifest, 'kind' | 'createdAt' | 'healthy'> {
  readonly places: Pick<Config, 'uploadRoots' | 'backupFolder' | 'database'>;
}

/** What was written. */
export interface Written {
  readonly manifest: Manifest;
  /** The number of uploads of each root. */
  readonly files: UploadCounts;
  /** How many members, and their bytes before compression. */
  readonly members: number;
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
  copier: Dumper,
  context: BackupContext,
  { kind, createdAt, healthy, places }: Purpose,
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
    const copied = await archive.add(copier.member, copier.compress, (member) =>
      copier.copy(member, (total) => begin('Copying the database', total)),
    );
    const { revisions, rows, settings, digest } = copied.result;

    const uploads = await findUploads(places);
    begin('Copying the uploads', await measureUploads(uploads, context.signal));
    const files: Partial<Record<UploadRootName, number>> = {};
    let [members, bytes] = [0, 0];
    const onAdded = (root: UploadRootName, name: string, member: Member): void => {
      members += 1;
      bytes += member.size;
      files[root] = (files[root] ?? 0) + 1;
      listed.append(Buffer.from(renderMember(name, member)));
    };
    await addUploads(archive, uploads, onAdded, context);

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
      uploads: uploads.roots,
      content: digest ?? copied.member.sha256,
      ...(healthy !== undefined && { healthy }),
    };
    const { member: described } = await archive.add(manifestMember, true, (member) =>
      pipeline(renderManifestAround(manifest, listed.read()), member),
    );
    await archive.finish();
    for (const { size } of [copied.member, written, described]) {
      members += 1;
      bytes += size;
    }
    return { manifest, files, members, bytes };
  } catch (error) {
    await archive.abandon();
    throw error;
  } finally {
    listed.close();
    end();
  }
}
