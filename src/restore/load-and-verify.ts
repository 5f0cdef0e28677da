import { join } from 'node:path';
import { archiveRejected } from '../archive/archive-error.ts';
import { extractEntry } from '../archive/reader.ts';
import { openDumpVerifier } from '../backup/verify.ts';
import { executePlan } from '../execution/execute-plan.ts';
import { type DatabaseSummary, readSummary } from '../backup/database-summary.ts';
import type { Manifest } from '../archive/manifest.ts';
import { releaseGraph } from '../migration/revisions.ts';
import type { Config, DatabaseTarget, PostgresTarget } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import { type DumpRestorer, openRestorer } from '../database/postgres/dump/restorer.ts';
import type { Cause } from '../model/cause.ts';
import { openDatabase } from '../database/open.ts';
import { Failure, reasonOf } from '../errors/failure.ts';
import { assess } from '../assessment/assess.ts';
import { listRows } from '../report/schema-differences.ts';
import type { RestoreContext, RestoreSource } from './target.ts';
import { waitingMessages } from '../report/connection-messages.ts';
import { dumpRejected, archiveRefused, archiveUnusable, stepFailed, stepRefused } from './failures.ts';
import { findWarnings } from './unarchived.ts';
import { UnknownStatement } from '../database/postgres/dump/script-filter.ts';
import { number, only } from '../database/row-values.ts';

/** Opens a database that the restore itself has made. */
export async function withConnection<Result>(
  target: DatabaseTarget,
  { config, log, version, signal }: RestoreContext,
  work: (database: Database) => Promise<Result>,
): Promise<Result> {
  const silent = (): void => undefined;
  const database = await openDatabase(target, {
    ...config,
    applicationName: `db-init ${version} restore`,
    writes: true,
    signal,
    onWaiting: silent,
    onLockWaiting: silent,
    onRetry: (reason) => log.info(waitingMessages.retry(reason)),
    onWarning: silent,
  });
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

/**
 * Compares a loaded database with the archive's manifest, and brings it to this image's schema.
 * @throws Failure `archive-rejected` if it is not a database of the application, or a newer one; `restore-refused`
 *   if it cannot be migrated
 */
export async function upgradeAndVerify(
  database: Database,
  source: RestoreSource,
  context: RestoreContext,
): Promise<void> {
  const { manifest } = source.archive;
  if (manifest !== null || context.onLoaded !== undefined) {
    const contents = await database.read(readSummary);
    if (manifest !== null) compareWithManifest(contents, manifest, source);
    context.onLoaded?.(contents);
  }
  for (const warning of await findWarnings(database, context.config)) context.log.warn(warning);
  const given = { ...context, database, config: scratchConfig(context.config, source) };
  const seen = await assess(database, given.config);
  const { plan, state } = seen;
  if (plan.kind === 'refuse') {
    if (state.kind === 'unreadable' && isCauseHere(state.cause, database)) {
      throw stepRefused('looking at the restored database', state.reason, state.cause, context.config);
    }
    throw archiveRefused(plan.refusal, database, source);
  }
  try {
    await executePlan(seen, given);
  } catch (error) {
    context.signal.throwIfAborted();
    throw stepFailed('migrating the restored database', error, context.config);
  }
}

/** Unpacks the dump into a file, because several jobs can only read a file. */
export async function unpackDump(
  { archive, folder }: RestoreSource,
  { signal, onBytes }: RestoreContext,
): Promise<string> {
  const file = join(folder, 'db.dump');
  await extractEntry(archive.database, file, { signal, onBytes });
  return file;
}

/** Whether the cause is the server, its disk or this machine, and not the loaded data. */
function isCauseHere({ kind }: Cause, { engine }: Database): boolean {
  return kind !== 'other' && kind !== 'rows' && (kind !== 'damage' || engine === 'postgresql');
}

/**
 * Verifies the live database after a restore.
 * @returns what is wrong with it; null if nothing
 */
export async function findRestoredFault(
  database: Database,
  source: RestoreSource,
  config: Config,
): Promise<{ readonly reason: string; readonly cause: Cause } | null> {
  const { state } = await assess(database, scratchConfig(config, source));
  if (state.kind === 'current') return null;
  return state.kind === 'unreadable' ? state : { reason: `its state is ${state.kind}`, cause: { kind: 'other' } };
}

/** The settings for a database of unknown origin: no guesses, and no files outside of it. */
export function scratchConfig(config: Config, { folder }: RestoreSource): Config {
  return {
    ...config,
    backupBeforeMigrate: 'never',
    backupMaxAge: null,
    backupFolder: folder,
    // the uploads are swapped after this database
    uploadRoots: [],
    skipCleanup: true,
    requireExisting: true,
    allowNewerSchema: false,
    drift: 'repair',
  };
}

/** @throws Failure `archive-rejected` if the rows of a database differ from the counts in the manifest */
export function compareWithManifest(
  { rows, revisions }: DatabaseSummary,
  manifest: Manifest,
  source: RestoreSource,
): void {
  const differing = Object.entries(manifest.rows).filter(([table, count]) => rows[table] !== count);
  if (differing.length > 0) {
    const list = differing.map(([table, count]) => `${table} has ${rows[table] ?? 'no table'} instead of ${count}`);
    throw archiveUnusable(source, `the rows are not those that its manifest counts: ${list.join(', ')}`);
  }
  if (revisions.join() !== [...manifest.revisions].toSorted().join()) {
    throw archiveUnusable(
      source,
      `its manifest says ${listRows(manifest.revisions)}, but in it is ${listRows(revisions)}`,
    );
  }
}

/** @throws Failure `archive-rejected` if only a newer image knows the archive's revision */
export function requireKnownRevisions(revisions: readonly string[], source: Pick<RestoreSource, 'archive'>): void {
  const unknown = revisions.filter((revision) => !releaseGraph.knows(revision));
  if (unknown.length === 0) return;
  const reason = `it is at ${listRows(unknown)}, which this image does not know: a newer db-init restores it`;
  throw archiveUnusable(source, reason);
}

/**
 * The failure for a dump that could not be loaded. Either the dump is damaged (its checksum does not show damage from
 * before it was packed), or the cause is on this side.
 */
export async function failedLoad(
  error: unknown,
  { archive }: RestoreSource,
  context: RestoreContext,
): Promise<Failure> {
  const { config, signal } = context;
  signal.throwIfAborted();
  if (error instanceof UnknownStatement) {
    return archiveRejected(archive.file, { kind: 'unknown-objects', objects: [error.object] });
  }
  try {
    const { verify: prove } = await openDumpVerifier(archive, signal);
    await prove(await archive.database.open());
  } catch (fault) {
    signal.throwIfAborted();
    if (fault instanceof Failure) return fault;
    return archiveUnusable({ archive }, `its ${archive.database.name} cannot be restored: ${reasonOf(fault)}`);
  }
  return stepFailed('restoring the dump', error, config);
}

/** @throws Failure `archive-rejected` if no tool here can restore it */
export async function restorerFor(
  dump: string,
  source: RestoreSource,
  live: Database,
  target: PostgresTarget,
  { config, log, signal, trusted }: RestoreContext,
): Promise<DumpRestorer> {
  const serverMajor = await live.read(async (session) =>
    number(only(await session.query(`SELECT current_setting('server_version_num')::int / 10000 AS major`)), 'major'),
  );
  const maxBytes = config.archiveLimits.bytes;
  const found = await openRestorer(dump, target, { serverMajor, trusted, maxBytes, signal });
  if (found.kind !== 'ready') throw dumpRejected(found, source, config);
  for (const warning of found.warnings) log.warn(`${warning}.`);
  return found.restorer;
}

/** The same source without its manifest, whose row counts were compared with the SQLite database already. */
export function withoutManifest(source: RestoreSource): RestoreSource {
  return { ...source, archive: { ...source.archive, manifest: null } };
}
