import type { Database } from '../database/database.ts';
import type { PostgresTarget } from '../config/config.ts';
import { requireConnections } from '../database/postgres/connection-limit.ts';
import { openMaintenanceConnection, type MaintenanceConnection } from '../database/postgres/maintenance-connection.ts';
import { flag, only } from '../database/row-values.ts';
import { Failure } from '../errors/failure.ts';
import { databaseSwapTarget } from './targets/database-swap.ts';
import { fileSwapTarget } from './targets/file-swap.ts';
import { describeRunningRestore, type SwapKind } from '../state-folder/journal.ts';
import { applicationSchemaOf, isDatabaseShared } from './targets/application-schema.ts';
import { schemaSwapTarget } from './targets/schema-swap.ts';
import type { RestoreContext, RestoreTarget } from './target.ts';
import { waitingMessages } from '../report/opening-messages.ts';
import { restoreUnfinished } from './failures.ts';
import { restoreReasons } from '../report/restore-reasons.ts';

/**
 * Opens the target of a restore. Call it under the run lock of the live database.
 * @param swapKind for a kept former database, the kind of swap that has kept it; null for a new restore, which swaps
 *   whole databases if this user may create them and no other application uses the database, and schemas otherwise
 * @throws Failure `restore-refused` if this user cannot reach the former database
 */
export async function openTarget(
  live: Database,
  context: RestoreContext,
  swapKind: SwapKind | null = null,
): Promise<RestoreTarget> {
  const { database: target } = context.config;
  switch (target.kind) {
    case 'sqlite':
      return fileSwapTarget(target, live, context);
    case 'postgresql': {
      const bySchemas = swapKind === 'schemas' || (swapKind === null && (await isDatabaseShared(live)));
      await requireConnections(
        live,
        !bySchemas && swapKind === null && (await canCreateDatabases(live)) ? 2 : 1,
        'restore',
      );
      if (bySchemas) {
        return schemaSwapTarget(target, await applicationSchemaOf(live), live, context);
      }
      const maintenance = await enterMaintenanceDatabase(target, context);
      if (maintenance !== null && (swapKind === 'databases' || (await maintenance.maySwap()))) {
        return databaseSwapTarget(target, maintenance, live, context);
      }
      await maintenance?.close();
      if (swapKind === null) return schemaSwapTarget(target, await applicationSchemaOf(live), live, context);
      throw formerUnreachable(live.name);
    }
  }
}

/** Whether this user may create databases: such a swap needs a second connection while the archive is loaded. */
const canCreateDatabases = (live: Database): Promise<boolean> =>
  live.read(async (session) =>
    flag(
      only(await session.query('SELECT rolcreatedb OR rolsuper AS may FROM pg_roles WHERE rolname = current_user')),
      'may',
    ),
  );

/**
 * Connects to a maintenance database, and waits there for the lock of restores.
 * @returns null if no maintenance database accepts this user
 */
export function enterMaintenanceDatabase(
  target: PostgresTarget,
  context: RestoreContext,
): Promise<MaintenanceConnection | null> {
  const { config, log, version, signal } = context;
  return openMaintenanceConnection(target, {
    waitTimeout: config.waitTimeout,
    lockTimeout: config.lockTimeout,
    applicationName: `db-init ${version} restore`,
    signal,
    onWaiting: (reason, secondsLeft) => log.info(waitingMessages.server(reason, secondsLeft)),
    onLockWaiting(secondsLeft) {
      const what = describeRunningRestore(config);
      log.info(waitingMessages.restore(what, secondsLeft));
      return what;
    },
  });
}

function formerUnreachable(database: string): Failure {
  const obstacle = {
    kind: 'failed',
    step: 'reach-former-database',
    reason: restoreReasons.noMaintenanceDatabase,
    cause: { kind: 'other' },
  } as const;
  return new Failure({ kind: 'restore-refused', database, obstacle });
}

/**
 * Opens the target and takes its lock, to recover a journal of another run, or of this run after its connection was
 * lost.
 * @param openLive opens the live database; not called for a swap of whole databases, which may have closed it
 */
export async function withTargetToRecover<Result>(
  swapKind: SwapKind,
  context: RestoreContext,
  openLive: <Opened>(work: (live: Database) => Promise<Opened>) => Promise<Opened>,
  work: (target: RestoreTarget) => Promise<Result>,
): Promise<Result> {
  const { config } = context;
  const { database: configured } = config;
  if (configured.kind === 'postgresql' && swapKind === 'databases') {
    const maintenance = await enterMaintenanceDatabase(configured, context);
    if (maintenance === null) throw restoreUnfinished(config, { kind: 'no-maintenance-database' });
    const target = databaseSwapTarget(configured, maintenance, null, context);
    try {
      return await work(target);
    } finally {
      await target.close();
    }
  }
  return openLive((live) =>
    live.withLock(async () =>
      work(
        configured.kind === 'sqlite'
          ? fileSwapTarget(configured, null, context)
          : schemaSwapTarget(configured, await applicationSchemaOf(live), live, context),
      ),
    ),
  );
}
