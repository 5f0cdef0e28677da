import type { GateContext } from './migrate-and-repair.ts';
import type { Assessment, Observation } from '../assessment/observation.ts';
import { collationVersion, type RuntimeFacts, sessionEncoding } from '../model/database-facts.ts';
import { Failure, type Problem } from '../errors/failure.ts';
import { announcePass } from '../report/gate-messages.ts';
import type { Log } from '../report/log.ts';

/** Executes the plan. The caller holds the run lock. @throws Failure */
export async function executePlan(seen: Assessment, context: GateContext): Promise<void> {
  const { observation, state, plan, obstacle } = seen;
  const { config, database, log, recorder } = context;
  if (plan.kind !== 'refuse' && observation.kind === 'seen') await warnOfTextSettings(observation.facts.runtime, log);
  switch (plan.kind) {
    case 'refuse':
      recorder.ended({ state: state.kind, revisions: revisionsIn(observation) });
      throw new Failure({ kind: 'refused', database: database.name, refusal: plan.refusal });
    case 'recover':
      recorder.ended({ state: state.kind, revisions: [] });
      throw new Failure(unfinishedRestore(database.name, plan.state.journal.file));
    case 'pass':
      recorder.ended({ state: state.kind, revisions: revisionsIn(observation) });
      announcePass(plan, log);
      await backUpIfOverdue(observation, context);
      return;
    case 'migrate':
    case 'repair': {
      if (obstacle !== null) throw new Failure(obstacle);
      const facts = observation.kind === 'seen' ? observation.facts : null;
      if (facts === null) throw new Error('a plan to act without an observation');
      if (config.backupBeforeMigrate === 'never') await backUpIfOverdue(observation, context);
      const { migrateAndRepair } = await import('./migrate-and-repair.ts');
      await migrateAndRepair(plan, facts, context);
    }
  }
}

/**
 * Warns if indexes were built with another collation version than the server has now, and if the sessions of the
 * application have an encoding that lacks characters.
 */
async function warnOfTextSettings({ attachments }: RuntimeFacts, log: Log): Promise<void> {
  const found = attachments.filter(({ what }) => what === sessionEncoding || what.startsWith(collationVersion));
  if (found.length === 0) return;
  const { describeAttachment } = await import('../report/attachments.ts');
  for (const attachment of found) log.warn(describeAttachment(attachment).message);
}

/** Makes the periodic backup if the last one is too old. A plan with a safety backup does not need it. */
async function backUpIfOverdue(observation: Observation, context: GateContext): Promise<void> {
  if (context.config.backupMaxAge === null || observation.kind !== 'seen') return;
  const { makeOverdueBackup } = await import('../backup/safety.ts');
  await makeOverdueBackup(context, observation.facts);
}

/** The problem of a database whose restore is unfinished: the operator must recover the restore first. */
export function unfinishedRestore(database: string, journal: string): Problem {
  return { kind: 'restore-refused', database, obstacle: { kind: 'unfinished', journal, reason: null } };
}

function revisionsIn(observation: Observation): readonly string[] {
  return observation.kind === 'seen' ? (observation.facts.revisions ?? []) : [];
}
