import { hostname } from 'node:os';
import type { Database } from '../database/database.ts';
import type { PostgresTarget } from '../config/config.ts';
import { requireConnections } from '../database/postgres/connection-limit.ts';
import { enterMaintenance, type Maintenance } from '../database/postgres/database-swap.ts';
import { flag, only } from '../database/rows.ts';
import { Failure } from '../errors/failure.ts';
import { databaseSwapTarget } from './targets/database-swap.ts';
import { fileSwapTarget } from './targets/file-swap.ts';
import { describeWaitedFor, type Way } from '../state-folder/journal.ts';
import { applicationSchemaOf, isShared } from './targets/application-schema.ts';
import { schemaSwapTarget } from './targets/schema-swap.ts';
import type { RestoreContext, RestoreTarget } from './target.ts';
import { waitingMessages } from '../report/connection-messages.ts';

/**
 * Opens the place of the live database for a restore. To be called under its run lock.
 * @param way in which something is kept that is to be put back or dropped, whatever this user may do by now; null for
 * the best one that there is
 * @throws Failure `restore-refused` if that way is closed
 */
export async function openTarget(
  live: Database,
  context: RestoreContext,
  way: Way | null = null,
): Promise<RestoreTarget> {
  const { database: target } = context.config;
  switch (target.kind) {
    case 'sqlite':
      return fileSwapTarget(target, live, context);
    case 'postgresql': {
      const bySchemas = way === 'schemas' || (way === null && (await isShared(live)));
      await requireConnections(live, !bySchemas && way === null && (await mayCreate(live)) ? 2 : 1, 'restore');
      if (bySchemas) {
        return schemaSwapTarget(target, await applicationSchemaOf(live), live, context);
      }
      const maintenance = await enterMaintenanceDatabase(target, context);
      if (maintenance !== null && (way === 'databases' || (await maintenance.mayExchange()))) {
        return databaseSwapTarget(target, maintenance, live, context);
      }
      await maintenance?.close();
      if (way === null) return schemaSwapTarget(target, await applicationSchemaOf(live), live, context);
      throw noWayIn(live.name);
    }
  }
}

/** Whole databases are exchanged over one connection, and the archive is loaded over another one at the same time. */
const mayCreate = (live: Database): Promise<boolean> =>
  live.read(async (session) =>
    flag(
      only(await session.query('SELECT rolcreatedb OR rolsuper AS may FROM pg_roles WHERE rolname = current_user')),
      'may',
    ),
  );

/** Enters a maintenance database, waiting for a restore that is at work. @returns null if none lets this user in */
export function enterMaintenanceDatabase(target: PostgresTarget, context: RestoreContext): Promise<Maintenance | null> {
  const { config, log, version, signal } = context;
  return enterMaintenance(target, {
    waitTimeout: config.waitTimeout,
    lockTimeout: config.lockTimeout,
    applicationName: `db-init ${version} restore`,
    signal,
    onWaiting: (reason, secondsLeft) => log.info(waitingMessages.server(reason, secondsLeft)),
    onLockWaiting(secondsLeft) {
      const what = describeWaitedFor(config);
      log.info(waitingMessages.restore(what, secondsLeft));
      return what;
    },
  });
}

/** How a journal names this process. */
export function thisProcess(): string {
  return `host ${hostname()}, pid ${process.pid}`;
}

/** What keeps everybody from whole databases. */
export const noMaintenanceDatabase = 'neither postgres nor template1 lets this user in';

function noWayIn(database: string): Failure {
  const obstacle = {
    kind: 'failed',
    step: 'reaching the former database',
    reason: noMaintenanceDatabase,
    cause: { kind: 'other' },
  } as const;
  return new Failure({ kind: 'restore-refused', database, obstacle });
}
