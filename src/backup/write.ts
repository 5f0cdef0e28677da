import type { Writable } from 'node:stream';
import { type Manifest, manifestMember, renderManifest, settingsMember } from '../archive/manifest.ts';
import { createArchive } from '../archive/writer.ts';
import type { Config } from '../config/config.ts';
import { openProgress, type Progress } from '../report/progress.ts';
import { addUploads, warnOfSkipped } from './add-uploads.ts';
import type { BackupContext } from './context.ts';
import type { Dumper } from './dumper.ts';
import { findUploads } from './uploads.ts';

/** What an archive is made for, and of what beside the database. */
export interface Purpose extends Pick<Manifest, 'kind' | 'createdAt' | 'healthy'> {
  readonly places: Pick<Config, 'uploadRoots' | 'backupFolder' | 'database'>;
}

/**
 * Writes an archive into a new file or a stream. The database goes first: whatever files it speaks of are there by then.
 * @throws Error that says what could not be read or written
 */
export async function writeArchive(
  into: string | Writable,
  copier: Dumper,
  context: BackupContext,
  { kind, createdAt, healthy, places }: Purpose,
): Promise<Manifest> {
  const { database, version } = context;
  let progress: Progress | null = null;
  const end = (): void => progress?.end();
  const begin = (label: string, total: number | null): void => {
    end();
    progress = openProgress({ ...context, label, total });
  };
  const archive = createArchive(into, (bytes) => progress?.add(bytes));
  try {
    const copied = await archive.add(copier.member, copier.compress, (member) =>
      copier.copy(member, (total) => begin('Copying the database', total)),
    );
    const { revisions, rows, settings, digest } = copied.result;

    const uploads = await findUploads(places);
    begin('Copying the uploads', uploads.bytes);
    const added = await addUploads(archive, uploads.files, context.signal);
    warnOfSkipped([...uploads.skipped, ...added.skipped], context);

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
      members: { [copier.member]: copied.member, ...Object.fromEntries(added.members), [settingsMember]: written },
      uploads: uploads.roots,
      content: digest ?? copied.member.sha256,
      ...(healthy !== undefined && { healthy }),
    };
    await archive.addText(manifestMember, renderManifest(manifest));
    await archive.finish();
    return manifest;
  } catch (error) {
    await archive.abandon();
    throw error;
  } finally {
    end();
  }
}
