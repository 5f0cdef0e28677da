import type { Database, OtherWriters } from '../database/database.ts';
import {
  exclusiveAccessSql,
  findOtherSessions,
  isExclusiveAccessError,
  terminate,
} from '../database/postgres/other-sessions.ts';
import type { Session } from '../database/session.ts';
import { pauseBeforeAttempt, sleep } from '../database/backoff.ts';
import { Failure } from '../errors/failure.ts';
import type { RestoreContext } from './target.ts';

/** How often to end sessions that reconnect at once. */
const mostAttempts = 5;
/** @throws Failure `restore-refused` if other sessions may still write to the database */
export function requireNoOtherSessions({ sessions, prepared }: OtherWriters, database: string): void {
  if (prepared.length > 0) {
    const obstacle = { kind: 'prepared-transactions', names: prepared } as const;
    throw new Failure({ kind: 'restore-refused', database, obstacle });
  }
  if (sessions.length > 0) {
    const obstacle = { kind: 'others-are-connected', others: sessions } as const;
    throw new Failure({ kind: 'restore-refused', database, obstacle });
  }
}

/**
 * Checks for other sessions before a restore begins, and before it opens a SQLite file itself. A restore may take
 * long, and would be refused at its end.
 * @throws Failure `restore-refused`
 */
export async function requireExclusiveAccess(
  live: Database,
  { config, disconnect }: Pick<RestoreContext, 'config' | 'disconnect'>,
): Promise<void> {
  if (config.database.kind === 'sqlite') {
    const { requireNoLink, requireUnused } = await import('../database/sqlite/swap-file.ts');
    requireNoLink(config.database.file);
    requireUnused(config.database.file, disconnect);
  }
  const others = await live.otherWriters();
  requireNoOtherSessions(disconnect ? { ...others, sessions: [] } : others, live.name);
}

/**
 * Swaps schemas of the live database while no other session uses it. The transaction of the swap checks this itself;
 * with `disconnect`, other sessions are ended before.
 * @param work runs the given SQL at the beginning of its transaction, and must throw the error of that SQL
 * @throws Failure `restore-refused` if other sessions do not end, or reconnect
 */
export async function withoutOtherSessions(
  live: Database,
  schemas: readonly string[],
  context: Pick<RestoreContext, 'config' | 'disconnect' | 'signal'>,
  work: (exclusiveAccessSql: string) => Promise<void>,
): Promise<void> {
  const { disconnect, signal } = context;
  const exclusionSql = await live.read((session) => exclusiveAccessSql(session, schemas));
  for (let attempt = 1; ; attempt++) {
    await requireExclusiveAccess(live, context);
    if (disconnect) await endOtherSessions(live, signal);
    try {
      return await work(exclusionSql);
    } catch (error) {
      if (!isExclusiveAccessError(error)) throw error;
      if (disconnect && attempt < mostAttempts) continue;
      requireNoOtherSessions(await live.otherWriters(), live.name);
      // the other session has ended in the meantime
      if (attempt >= mostAttempts) throw error;
    }
  }
}

/** Ends other sessions and waits until they have ended. @throws Failure `missing-rights` */
async function endOtherSessions(live: Database, signal: AbortSignal): Promise<void> {
  const terminateOthers = async (session: Session): Promise<number> => {
    const { sessions } = await findOtherSessions(session);
    if (sessions.length === 0) return 0;
    await terminate(session, sessions, live.name);
    return sessions.length;
  };
  for (let attempt = 1; (await live.read(terminateOthers)) > 0 && attempt < mostAttempts; attempt++) {
    await sleep(Math.min(pauseBeforeAttempt(attempt), 500), signal);
  }
}
