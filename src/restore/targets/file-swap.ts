import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { SqliteTarget } from '../../config/config.ts';
import type { Database } from '../../database/database.ts';
import { swapFiles, recoverSwap } from '../../database/sqlite/swap-file.ts';
import { measureFile } from '../../database/sqlite/measure.ts';
import { unpackSqlite } from '../row-by-row/sqlite-copy.ts';
import { upgradeAndVerify, withConnection, withoutManifest } from '../load-and-verify.ts';
import type { RestoreContext, RestoreTarget } from '../target.ts';
import { describeUnknownFileHolders, restoreMessages } from '../../report/restore-messages.ts';

const sides = ['', '-journal', '-wal', '-shm', '.db-init-lock'];

/**
 * Swaps files: the archive's database is made beside the live file, and takes its name in one step. The run lock, a
 * file beside the database, is the lock.
 * @param live null to recover what another run left: then nothing new can be restored
 */
export function fileSwapTarget({ file }: SqliteTarget, live: Database | null, context: RestoreContext): RestoreTarget {
  return {
    swapKind: 'files',
    names: (id) => ({ live: file, incoming: `${file}.restore_${id}`, outgoing: `${file}.bak_${id}` }),

    async prepare(source, { incoming }) {
      const byRow = source.archive.engine === 'postgresql';
      context.log.info(restoreMessages.intoFile(incoming, { byRow }));
      if (byRow) {
        const { loadIntoSqlite } = await import('../row-by-row/into-sqlite.ts');
        await loadIntoSqlite(source, incoming, context);
      } else await unpackSqlite(source, incoming, file, 'whole', context);
      await withConnection({ kind: 'sqlite', file: incoming }, context, (database) =>
        upgradeAndVerify(database, byRow ? withoutManifest(source) : source, context),
      );
    },

    async swap(_, names, checkOwner) {
      // our own open file would be in the way as well
      await live?.close();
      const { disconnect, log } = context;
      const onUnknown = disconnect ? () => log.warn(describeUnknownFileHolders(file)) : undefined;
      await swapFiles(names, onUnknown, checkOwner);
    },

    recover: ({ names }, checkOwner) => recoverSwap(names, checkOwner),

    discard: ({ incoming }) => removeFile(incoming),
    exists: (name) => Promise.resolve(existsSync(name)),
    isHalfDropped: () => Promise.resolve(false),
    measure: measureFile,
    drop: removeFile,
    close: () => Promise.resolve(),
  };
}

async function removeFile(file: string): Promise<void> {
  for (const side of sides) await rm(file + side, { force: true });
}
