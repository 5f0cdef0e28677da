import type { Config } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import { Failure, type Problem } from '../errors/failure.ts';
import type { Log } from '../report/log.ts';
import type { Output } from '../report/output.ts';
import type { Recorder } from '../report/run-record.ts';
import { announceCollations, announcePass } from '../report/gate-text.ts';
import { type Look, look } from '../assessment/assess.ts';
import type { Observation } from '../assessment/observation.ts';

/** What the gate works with. */
export interface GateContext {
  readonly database: Database;
  readonly config: Config;
  readonly log: Log;
  readonly recorder: Recorder;
  /** Of db-init. */
  readonly version: string;
  readonly signal: AbortSignal;
  /** Where progress is shown; nothing: nowhere. */
  readonly output?: Pick<Output, 'line'>;
}

/**
 * Takes the lock, looks, and carries out the plan. Returns only if the application may start.
 * @throws Failure that says why it may not
 */
export async function runGate(context: GateContext): Promise<void> {
  const { database, config, recorder } = context;
  await database.withLock(async () => {
    const seen = await look(database, config);
    recorder.looked(seen);
    await act(seen, context);
  });
}

/** Does what was planned, under the lock that the caller holds. @throws Failure */
export async function act(seen: Look, context: GateContext): Promise<void> {
  const { observation, state, plan, obstacle } = seen;
  const { database, log, recorder } = context;
  if (plan.kind !== 'refuse' && observation.kind === 'seen') announceCollations(observation.facts.surroundings, log);
  switch (plan.kind) {
    case 'refuse':
      recorder.left({ state: state.kind, revisions: revisionsIn(observation) });
      throw new Failure({ kind: 'refused', database: database.name, refusal: plan.refusal });
    case 'settle':
      recorder.left({ state: state.kind, revisions: [] });
      throw new Failure(unfinishedRestore(database.name, plan.state.journal.file));
    case 'pass':
      recorder.left({ state: state.kind, revisions: revisionsIn(observation) });
      announcePass(plan, log);
      return;
    case 'migrate':
    case 'repair': {
      if (obstacle !== null) throw new Failure(obstacle);
      const facts = observation.kind === 'seen' ? observation.facts : null;
      if (facts === null) throw new Error('a plan to act without an observation');
      const { carryOut } = await import('./execute-plan.ts');
      await carryOut(plan, facts, context);
    }
  }
}

/** A restore has to be settled first. */
export function unfinishedRestore(database: string, journal: string): Problem {
  return { kind: 'restore-refused', database, obstacle: { kind: 'unfinished', journal, reason: null } };
}

function revisionsIn(observation: Observation): readonly string[] {
  return observation.kind === 'seen' ? (observation.facts.revisions ?? []) : [];
}
