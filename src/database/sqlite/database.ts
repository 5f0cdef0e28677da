import { sqliteReasons } from '../../report/sqlite-reasons.ts';
import type { OpenOptions, Database, Transaction } from '../database.ts';
import { type DatabaseFacts, noRuntimeFacts } from '../../model/database-facts.ts';
import { existsSync, rmSync, statSync } from 'node:fs';
import SQLite from 'better-sqlite3';
import type { SqliteTarget } from '../../config/config.ts';
import { Failure, reasonOf } from '../../errors/failure.ts';
import { describeKeptCopies } from '../../report/opening-messages.ts';
import { lockHolders } from '../../report/lock-holders.ts';
import type { Session } from '../session.ts';
import { pauseBeforeAttempt, sleep } from '../backoff.ts';
import { danglingReferences } from './check.ts';
import { findEntryObstacle } from './entry.ts';
import { judgeFileSystem, prepareFolder, requireWritable } from './file-system.ts';
import { inspect } from './inspect.ts';
import { isBusy, takeRunLock } from './lock.ts';
import { isDatabaseFile, type OpenFile, openForReading } from './open-readonly.ts';
import { lacksRoomForWalIndex, requireOwnSideFiles } from './recover-side-files.ts';
import { sqliteSession } from './session.ts';
import { logSuffixes, sizeOf } from './wal-files.ts';

const emptyDatabase: DatabaseFacts = {
  schema: 'main',
  elsewhere: [],
  forbidden: [],
  relations: [],
  catalog: { tables: {}, enums: {} },
  revisions: null,
  types: [],
  foreignLedgers: [],
  otherSessions: [],
  runtime: noRuntimeFacts,
};

/** Opens a SQLite file. A missing file counts as an empty database; the first transaction creates it. */
export async function openSqlite({ file }: SqliteTarget, options: OpenOptions): Promise<Database> {
  let opened: OpenFile | null = null;
  const open = (): SQLite.Database => {
    opened ??= options.writes ? openForWriting(file, options) : openForReading(file);
    return opened.database;
  };
  if (options.writes) {
    const warning = judgeFileSystem(file, options.allowNetworkFs);
    if (warning !== null) options.onWarning(warning);
  }

  return {
    engine: 'sqlite',
    name: file,
    serverVersion: `SQLite ${sqliteVersion()}`,

    async observe(_depth, question) {
      if (!isThere(file)) return emptyDatabase;
      requireDatabaseFile(file);
      try {
        return inspect(open(), question);
      } catch (error) {
        if (error instanceof Failure) throw error;
        throw new Error(explainReadFailure(error, file), { cause: error });
      }
    },

    read: async (work) => inSnapshot(open(), work),

    async tryRows(suspects) {
      const { tryRows } = await import('./trial-rows.ts');
      return tryRows(open(), suspects);
    },

    otherWriters: async () => ({ sessions: [], prepared: [] }),

    async findEntryObstacle() {
      return options.writes ? null : findEntryObstacle(file, options.allowNetworkFs);
    },

    async missingRights() {
      requireWritable(file);
      return [];
    },

    async withLock(work) {
      prepareFolder(file);
      const release = await takeRunLock(file, options);
      try {
        return await work();
      } finally {
        release();
      }
    },

    transaction: async (work) => inTransaction(open(), work, file, options),

    async rehearse(work) {
      if (!isThere(file)) return inDisposableDatabase(':memory:', work, options);
      const copy = `${file}.db-init-rehearsal`;
      try {
        await copyInto(open(), copy);
        return await inDisposableDatabase(copy, work, options);
      } finally {
        removeCopy(copy);
      }
    },

    async close() {
      opened?.close();
    },
  };
}

function openForWriting(file: string, { onWarning }: OpenOptions): OpenFile {
  requireOwnSideFiles(file, (folder) => onWarning(describeKeptCopies(file, folder)));
  const database = new SQLite(file, { timeout: 2000 });
  return { database, close: () => void database.close() };
}

/** Copies the database. First removes the copy that a killed rehearsal left: only db-init uses this file name. */
async function copyInto(database: SQLite.Database, copy: string): Promise<void> {
  removeCopy(copy);
  await sqliteSession(database).query('VACUUM INTO $1', [copy]);
}

function removeCopy(copy: string): void {
  for (const side of ['', '-journal', '-wal', '-shm']) rmSync(copy + side, { force: true });
}

async function inDisposableDatabase<Result>(
  file: string,
  work: (transaction: Transaction) => Promise<Result>,
  options: OpenOptions,
): Promise<Result> {
  const database = new SQLite(file);
  try {
    return await inTransaction(database, work, file, options);
  } finally {
    database.close();
  }
}

async function inSnapshot<Result>(
  database: SQLite.Database,
  work: (session: Session) => Promise<Result>,
): Promise<Result> {
  database.exec('BEGIN');
  database.pragma('query_only = ON');
  try {
    return await work(sqliteSession(database));
  } finally {
    database.pragma('query_only = OFF');
    if (database.inTransaction) database.exec('ROLLBACK');
  }
}

async function inTransaction<Result>(
  database: SQLite.Database,
  work: (transaction: Transaction) => Promise<Result>,
  file: string,
  options: OpenOptions,
): Promise<Result> {
  // before BEGIN, because the pragma has no effect within a transaction; otherwise table rebuilds run ON DELETE actions
  database.pragma('foreign_keys = OFF');
  await beginExclusive(database, file, options);
  const session = sqliteSession(database);
  try {
    const before = danglingReferences(database);
    const result = await work({
      ...session,
      connection: { engine: 'sqlite', database },
      observe: async (question) => inspect(database, question),
    });
    const broken = [...danglingReferences(database)].filter(
      ([reference, count]) => count > (before.get(reference) ?? 0),
    );
    if (broken.length > 0) {
      throw new Error(sqliteReasons.brokenReferences(broken));
    }
    await session.run('COMMIT');
    options.onCommit?.('committed');
    return result;
  } catch (error) {
    if (database.inTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/**
 * Begins a writing transaction, and waits for other writers. EXCLUSIVE keeps readers out from the start: a later reader
 * could make the COMMIT fail after all the work. In WAL mode readers do not block a writer, so they are allowed.
 */
async function beginExclusive(database: SQLite.Database, file: string, options: OpenOptions): Promise<void> {
  const started = Date.now();
  for (let attempt = 1; ; attempt++) {
    try {
      await sqliteSession(database).run('BEGIN EXCLUSIVE');
      return;
    } catch (error) {
      if (!isBusy(error)) throw error;
      const seconds = options.migrationLockTimeout;
      if (Date.now() - started >= seconds * 1000) {
        const holder = { description: lockHolders.program(file) };
        throw new Failure({ kind: 'locked', holder, seconds }, { cause: error });
      }
      options.onRetry(sqliteReasons.inUse);
      await sleep(pauseBeforeAttempt(attempt), options.signal);
    }
  }
}

function sqliteVersion(): string {
  const memory = new SQLite(':memory:');
  try {
    return String(memory.prepare('SELECT sqlite_version()').pluck().get());
  } finally {
    memory.close();
  }
}

/** Whether the file exists. @throws Error if that is unknown, for example without the right to search the folder */
function isThere(file: string): boolean {
  if (statSync(file, { throwIfNoEntry: false }) !== undefined) return true;
  // SQLite would write their content, parts of the former database, into a new file
  const orphan = logSuffixes.map((side) => file + side).find((side) => sizeOf(side) > 0);
  if (orphan !== undefined) throw new Error(sqliteReasons.orphan(orphan));
  return false;
}

/** Refuses a file that is not a SQLite database, before SQLite opens it. */
function requireDatabaseFile(file: string): void {
  const stats = statSync(file);
  if (stats.isDirectory()) {
    throw new Error(sqliteReasons.folder(file));
  }
  if (!stats.isFile()) throw new Error(sqliteReasons.noFile(file));
  if (!isDatabaseFile(file)) throw new Error(sqliteReasons.noDatabase(file));
}

function explainReadFailure(error: unknown, file: string): string {
  const reason = reasonOf(error);
  const code = error instanceof SQLite.SqliteError ? error.code : '';
  if (code === 'SQLITE_READONLY_ROLLBACK' || (code.startsWith('SQLITE_CANTOPEN') && existsSync(`${file}-journal`))) {
    return sqliteReasons.hotJournal(file, reason);
  }
  if (code.startsWith('SQLITE_IOERR_SHM') && lacksRoomForWalIndex(file)) return sqliteReasons.noRoomForIndex(file);
  return reason;
}
