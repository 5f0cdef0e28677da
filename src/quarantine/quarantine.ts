import type { Quarantine, QuarantineContext } from './entry.ts';
import type { State } from '../model/state.ts';
import { Failure } from '../errors/failure.ts';
import { assess } from '../assessment/assess.ts';
import { refusalOf } from '../assessment/plan.ts';
import { quarantineMessages } from '../report/quarantine-messages.ts';

/** Opens the quarantine of a database, for the engine of the database. */
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
 * Puts objects aside on request that the gate leaves alone: all objects, or those that are not the application's. It
 * changes another application's database only with `--all`, and the question names that application.
 * @throws Failure `refused` in a state that must not be touched, `quarantine-refused`, `usage` without consent
 */
export async function createQuarantine(context: QuarantineContext, everything: boolean): Promise<void> {
  const { database, config, log, consent } = context;
  await database.withLock(async () => {
    const { observation, state } = await assess(database, config);
    // a damaged file can be put aside without reading it, a damaged schema cannot
    const unreadable = state.kind === 'unreadable' && database.engine === 'postgresql';
    const foreign = state.kind === 'foreign' && !everything;
    if (unreadable || foreign || state.kind === 'interrupted') {
      throw new Failure({ kind: 'refused', database: database.name, refusal: refusalOf(state) });
    }
    if (observation.kind === 'seen' && observation.facts.schema === null) {
      return log.info(quarantineMessages.nothingToMove);
    }
    const owner = observation.kind === 'seen' ? describeOwner(state, observation.facts.foreignLedgers) : '';
    const quarantine = await openQuarantine({ ...context, consent: (what) => consent(`${what}${owner}`) });
    await quarantine.create(everything);
  });
}

/** The other application whose tables would be moved, if it is known. */
function describeOwner(state: State, tables: readonly string[]): string {
  if (tables.length > 0) {
    return ` IT HOLDS ANOTHER APPLICATION'S TABLES: ${tables.join(', ')} is a migration ledger.`;
  }
  return state.kind === 'foreign' ? " IT LOOKS LIKE ANOTHER APPLICATION'S DATABASE." : '';
}
