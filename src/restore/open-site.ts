import { hostname } from 'node:os';
import type { Database } from '../database/database.ts';
import type { PostgresTarget } from '../config/config.ts';
import { enterMaintenance, type Maintenance } from '../database/postgres/maintenance.ts';
import { databasesSite } from './databases.ts';
import { filesSite } from './files.ts';
import { describeJournal } from './journal.ts';
import { schemasSite } from './schemas.ts';
import type { RestoreContext, Site } from './site.ts';

/** Opens the place of the live database for a restore. To be called under its run lock. */
export async function openSite(live: Database, context: RestoreContext): Promise<Site> {
  const { database: target } = context.config;
  switch (target.kind) {
    case 'sqlite':
      return filesSite(target, live, context);
    case 'postgresql': {
      const maintenance = await maintain(target, context);
      if (await maintenance?.mayExchange()) return databasesSite(target, required(maintenance), live, context);
      await maintenance?.close();
      return schemasSite(target, live, context);
    }
  }
}

/** Enters a maintenance database, waiting for a restore that is at work. @returns null if none lets this user in */
export function maintain(target: PostgresTarget, context: RestoreContext): Promise<Maintenance | null> {
  const { config, log, version, signal } = context;
  return enterMaintenance(target, {
    waitTimeout: config.waitTimeout,
    lockTimeout: config.lockTimeout,
    applicationName: `db-init ${version} restore`,
    signal,
    onWaiting: (reason, secondsLeft) => log.info(`Waiting for the database, ${secondsLeft} s at most: ${reason}.`),
    onLockWaiting(secondsLeft) {
      const what = describeJournal(config) ?? 'a restore that is finishing this moment';
      log.info(`Waiting for ${what}, ${secondsLeft} s at most.`);
      return what;
    },
  });
}

/** How a journal names this process. */
export function thisProcess(): string {
  return `host ${hostname()}, pid ${process.pid}`;
}

function required(maintenance: Maintenance | null): Maintenance {
  if (maintenance === null) throw new Error('a right in a database that could not be entered');
  return maintenance;
}
