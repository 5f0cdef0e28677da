import { requireServerSpace } from './free-space.ts';
import { join } from 'node:path';
import { archiveRejected } from '../archive/archive-error.ts';
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
import { restoreReasons } from '../report/restore-reasons.ts';
import type { RestoreContext, RestoreSource } from './target.ts';
import { waitingMessages } from '../report/opening-messages.ts';
import { dumpRejected, archiveRefused, archiveUnusable, stepFailed, stepRefused } from './failures.ts';
import { findMissingSurroundings } from './warnings.ts';
import { describeMissingSurroundings } from '../report/restore-messages.ts';
import { UnknownStatement } from '../database/postgres/dump/script-filter.ts';
import { number, only } from '../database/row-values.ts';
import { extractEntry } from '../archive/entry-content.ts';

/**
 * Opens a further connection to a database: the prepared one, the live one after the swap, or a former one. Logs
 * nothing but lost connections, and closes the connection after the work.
 */
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
 * Compares the row counts of a loaded database with the archive's manifest, migrates it to the head as the gate would,
 * and verifies it.
 * @throws Failure `archive-rejected` if the rows differ, if it is not a database of the application, or if its revision
 *   is newer than the image; `restore-refused` if a migration fails
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
  for (const missing of await findMissingSurroundings(database, context.config)) {
    context.log.warn(describeMissingSurroundings(missing));
  }
  const given = { ...context, database, config: scratchConfig(context.config, source) };
  const seen = await assess(database, given.config);
  const { plan, state } = seen;
  if (plan.kind === 'refuse') {
    if (state.kind === 'unreadable' && isCauseHere(state.cause, database)) {
      throw stepRefused('assess-restored', state.reason, state.cause, context.config);
    }
    throw archiveRefused(plan.refusal, database, source);
  }
  try {
    await executePlan(seen, given);
  } catch (error) {
    context.signal.throwIfAborted();
    throw stepFailed('migrate-restored', error, context.config);
  }
}

/** Unpacks the dump into a file: several jobs of pg_restore cannot read a stream. @returns its path */
export async function unpackDump(
  { archive, folder }: RestoreSource,
  { signal, onBytes }: RestoreContext,
): Promise<string> {
  const file = join(folder, 'db.dump');
  await extractEntry(archive.database, file, { signal, onBytes });
  return file;
}

/** Whether the cause of a failure is the server, its disk or this machine, and not the data in the archive. */
function isCauseHere({ kind }: Cause, { engine }: Database): boolean {
  return kind !== 'other' && kind !== 'rows' && (kind !== 'damage' || engine === 'postgresql');
}

/** Verifies the live database after a restore. @returns what is wrong with it; null if nothing */
export async function findRestoredFault(
  database: Database,
  source: RestoreSource,
  config: Config,
): Promise<{ readonly reason: string; readonly cause: Cause } | null> {
  const { state } = await assess(database, scratchConfig(config, source));
  if (state.kind === 'current') return null;
  return state.kind === 'unreadable'
    ? state
    : { reason: restoreReasons.unhealthy(state.kind), cause: { kind: 'other' } };
}

/**
 * The settings with which the prepared database is migrated: no cleanup, no backups, no uploads, and temporary files
 * in the folder of this restore only.
 */
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
  const differing = Object.entries(manifest.rows)
    .map(([table, listed]) => ({ table, found: rows[table], listed }))
    .filter(({ found, listed }) => found !== listed);
  if (differing.length > 0) throw archiveUnusable(source, { kind: 'rows-differ', tables: differing });
  if (revisions.join() !== [...manifest.revisions].toSorted().join()) {
    throw archiveUnusable(source, { kind: 'revisions-differ', listed: manifest.revisions, found: revisions });
  }
}

/** @throws Failure `archive-rejected` if only a newer image knows the archive's revision */
export function requireKnownRevisions(revisions: readonly string[], source: Pick<RestoreSource, 'archive'>): void {
  const unknown = revisions.filter((revision) => !releaseGraph.knows(revision));
  if (unknown.length > 0) throw archiveUnusable(source, { kind: 'unknown-revisions', revisions: unknown });
}

/**
 * The failure for a dump that could not be loaded. Reads the dump again with pg_restore: if that fails as well, the dump
 * is damaged (its checksum does not show damage from before it was packed); if not, the server or this machine is the
 * cause.
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
    const { verify } = await openDumpVerifier(archive, signal);
    await verify(await archive.database.open());
  } catch (fault) {
    signal.throwIfAborted();
    if (fault instanceof Failure) return fault;
    return archiveUnusable({ archive }, { kind: 'entry', name: archive.database.name, message: reasonOf(fault) });
  }
  return stepFailed('load-dump', error, config);
}

/**
 * Chooses the tool that restores the dump on this server.
 * @returns with it, which objects are left out, in sentences without a full stop
 * @throws Failure `archive-rejected` if no installed tool can; `restore-refused` if the server's volume is too full
 */
export async function restorerFor(
  dump: string,
  source: RestoreSource,
  live: Database,
  target: PostgresTarget,
  { config, signal, trusted }: RestoreContext,
): Promise<{ readonly restorer: DumpRestorer; readonly warnings: readonly string[] }> {
  requireServerSpace(source.archive.database.size, live.name);
  const serverMajor = await live.read(async (session) =>
    number(only(await session.query(`SELECT current_setting('server_version_num')::int / 10000 AS major`)), 'major'),
  );
  const maxBytes = config.archiveLimits.bytes;
  const found = await openRestorer(dump, target, { serverMajor, trusted, maxBytes, signal });
  if (found.kind !== 'ready') throw dumpRejected(found, source, config);
  return { restorer: found.restorer, warnings: found.warnings };
}

/** The source without its manifest: its row counts were compared with the database before the rows were converted. */
export function withoutManifest(source: RestoreSource): RestoreSource {
  return { ...source, archive: { ...source.archive, manifest: null } };
}
