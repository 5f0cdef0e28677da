import { extractEntry } from '../../archive/reader.ts';
import { existsSync } from 'node:fs';
import { rm, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { rejection } from '../../archive/archive-error.ts';
import type { SqliteTarget } from '../../config/config.ts';
import type { Database } from '../../database/database.ts';
import {
  checkSqliteFile,
  countDanglingReferences,
  exchangeFiles,
  findUnknownObjects,
  settleExchange,
} from '../../database/sqlite/swap-file.ts';
import { measureFile } from '../../database/sqlite/measure.ts';
import { Failure, reasonOf } from '../../errors/failure.ts';
import { count } from '../../report/format.ts';
import { describeUnseen } from '../../report/restore-text.ts';
import { makeHealthy, unusable, withScratch } from '../load-and-verify.ts';
import type { RestoreContext, Site, Source } from '../target.ts';

const sides = ['', '-journal', '-wal', '-shm', '.db-init-lock'];

/**
 * The way of files: the archive's database grows up beside the live file, and takes its name in one step. The run
 * lock, which lies beside the file and stays there, is the lock.
 * @param live null to settle what another run left: then nothing new can be restored
 */
export function filesSite({ file }: SqliteTarget, live: Database | null, context: RestoreContext): Site {
  return {
    way: 'files',
    places: (id) => ({ live: file, incoming: `${file}.restore_${id}`, outgoing: `${file}.bak_${id}` }),

    async bringUp(source, { incoming }) {
      await requireSpace(source, dirname(file), file);
      const { signal, onBytes, log } = context;
      log.info(`Restoring into ${incoming}, beside the live file.`);
      await extractEntry(source.archive.database, incoming, { signal, onBytes });
      if (!context.trusted) requireKnownObjects(incoming, source);
      const fault = checkSqliteFile(incoming);
      if (fault !== null) throw unusable(source, `its database is damaged: ${fault}`);
      const dangling = countDanglingReferences(incoming);
      if (dangling > 0) log.info(`${count(dangling, 'row')} of it refer to nothing: that is left as it is.`);
      await withScratch({ kind: 'sqlite', file: incoming }, context, (database) =>
        makeHealthy(database, source, context),
      );
    },

    async exchange(_, places, mayGoOn) {
      // an open file of our own would be in the way as well
      await live?.close();
      const { disconnect, log } = context;
      const unseen = disconnect ? () => log.warn(describeUnseen(file)) : undefined;
      await exchangeFiles(places, unseen, mayGoOn);
    },

    settle: ({ places }, mayGoOn) => settleExchange(places, mayGoOn),

    discard: ({ incoming }) => removeFile(incoming),
    isKept: (name) => Promise.resolve(existsSync(name)),
    measure: measureFile,
    drop: removeFile,
    close: () => Promise.resolve(),
  };
}

/** Nothing that a stranger put into the schema may be run by the checks that follow. @throws Failure `archive-rejected` */
function requireKnownObjects(file: string, source: Source): void {
  let objects;
  try {
    objects = findUnknownObjects(file);
  } catch (error) {
    throw unusable(source, `its database is damaged: ${reasonOf(error)}`);
  }
  if (objects.length > 0) throw rejection(source.archive.file, { kind: 'unknown-objects', objects });
}

/** The database is unpacked, and a migration may need as much again. */
async function requireSpace({ archive }: Source, folder: string, database: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const needed = 2 * archive.database.size;
  const free = bavail * bsize;
  if (free >= needed) return;
  const obstacle = { kind: 'no-space', folder, needed, free } as const;
  throw new Failure({ kind: 'restore-refused', database, obstacle });
}

async function removeFile(file: string): Promise<void> {
  for (const side of sides) await rm(file + side, { force: true });
}
