import type { State } from '../model/state.ts';
import type { Config } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import { Failure } from '../errors/failure.ts';
import { look } from '../assessment/assess.ts';
import { refusalOf } from '../assessment/plan.ts';
import type { Log } from '../report/log.ts';
import type { Recorder } from '../report/run-record.ts';
import type { Held } from './entry.ts';

/** What commands do with what was put aside; each engine has its own way. */
export interface Quarantine {
  /** Looks without writing and without the lock. */
  list(): Promise<readonly Held[]>;
  /** Puts aside everything, or only what is not the application's. To be called with the lock held. */
  create(everything: boolean): Promise<void>;
  /** Takes everything back. To be called with the lock held, unless nothing is to be done but to check. */
  restore(name: string, dryRun: boolean): Promise<void>;
  /** Deletes for good. To be called with the lock held. */
  purge(name: string): Promise<void>;
}

export interface QuarantineContext {
  readonly database: Database;
  readonly config: Config;
  readonly log: Log;
  readonly recorder: Recorder;
  readonly signal: AbortSignal;
  /** Asks a person to agree to what the sentence says. @throws Failure `usage` */
  readonly consent: (what: string) => Promise<void>;
}

/** The quarantine of a database. */
export async function openQuarantine(context: QuarantineContext): Promise<Quarantine> {
  const { database: target } = context.config;
  switch (target.kind) {
    case 'postgresql':
      return (await import('./postgres.ts')).postgresQuarantine(context);
    case 'sqlite':
      return (await import('./sqlite.ts')).sqliteQuarantine(context, target.file);
  }
}

/**
 * Puts aside by hand what the gate would not: everything, or what is not the application's. Another application's
 * database is only touched if everything is asked for, and its owner is told whose it is.
 * @throws Failure `refused` in a state that must not be touched, `quarantine-refused`, `usage` without consent
 */
export async function createQuarantine(context: QuarantineContext, everything: boolean): Promise<void> {
  const { database, config, log, consent } = context;
  await database.withLock(async () => {
    const { observation, state } = await look(database, config);
    // a damaged file can be put aside unread, a damaged schema cannot
    const unreadable = state.kind === 'unreadable' && database.engine === 'postgresql';
    const foreign = state.kind === 'foreign' && !everything;
    if (unreadable || foreign || state.kind === 'interrupted') {
      throw new Failure({ kind: 'refused', database: database.name, refusal: refusalOf(state) });
    }
    if (observation.kind === 'seen' && observation.facts.schema === null) {
      return log.info('There is nothing to move: nothing was changed.');
    }
    const owner = observation.kind === 'seen' ? describeOwner(state, observation.facts.ledgers) : '';
    const quarantine = await openQuarantine({ ...context, consent: (what) => consent(`${what}${owner}`) });
    await quarantine.create(everything);
  });
}

/** Whose tables are about to be moved, where that is known to be somebody else's. */
function describeOwner(state: State, ledgers: readonly string[]): string {
  if (ledgers.length > 0) {
    return ` IT HOLDS ANOTHER APPLICATION'S TABLES: ${ledgers.join(', ')} is a migration ledger.`;
  }
  return state.kind === 'foreign' ? " IT LOOKS LIKE ANOTHER APPLICATION'S DATABASE." : '';
}
