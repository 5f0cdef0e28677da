import { access, constants, mkdtemp, open, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Archive } from '../archive/reader.ts';
import { rejection } from '../archive/archive-error.ts';
import { checkSqliteFile, findUnknownObjects } from '../database/sqlite/check.ts';
import type { DatabaseProof } from './verify.ts';

/**
 * Prepares to prove an SQLite file: it is unpacked for the purpose, among the temporary files or beside the archive.
 * @throws Failure `archive-rejected` if there is no room for it
 */
export async function openFileProof(archive: Archive, signal: AbortSignal): Promise<DatabaseProof> {
  const place = await findRoom(archive);
  return {
    server: null,
    async prove(content) {
      const folder = await mkdtemp(join(place, '.db-init-verify-'));
      try {
        const file = join(folder, 'database');
        const handle = await open(file, 'wx', 0o600);
        await pipeline(content, handle.createWriteStream(), { signal });
        const fault = checkSqliteFile(file);
        if (fault !== null) throw new Error(fault);
        return findUnknownObjects(file);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

/** A temporary folder is often memory: the folder of the archive has room for what comes out of it, as a rule. */
async function findRoom({ file, database }: Archive): Promise<string> {
  const places = [tmpdir(), dirname(file)];
  for (const place of places) {
    const { bavail, bsize } = await statfs(place);
    if (bavail * bsize > database.size * 1.1 && (await isWritable(place))) return place;
  }
  const reason = `its ${database.name} has ${database.size} bytes, and neither ${places.join(' nor ')} has room to unpack it for the proof`;
  throw rejection(file, { kind: 'unusable', reason });
}

async function isWritable(folder: string): Promise<boolean> {
  return access(folder, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
}
