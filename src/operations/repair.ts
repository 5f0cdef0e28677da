import type { GateContext } from '../execution/migrate-and-repair.ts';
import { executePlan } from '../execution/execute-plan.ts';
import type { Assessment } from '../assessment/observation.ts';
import type { Config } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import { Failure, type Problem } from '../errors/failure.ts';
import type { RepairPlan } from '../repair/repair-step.ts';
import { assess } from '../assessment/assess.ts';
import { describeNotAtHead } from '../report/schema-differences.ts';

/**
 * Repairs a schema that lacks parts of the last revision, under the lock, as the gate does. The operator has requested
 * the repair, so TT_DRIFT is ignored.
 * @throws Failure `refused`, `usage` for a database that is not at the last revision
 */
export async function runRepair(context: GateContext): Promise<void> {
  const { database, recorder } = context;
  await database.withLock(async () => {
    const seen = await assessForRepair(database, context.config);
    recorder.assessed(seen);
    await executePlan(seen, context);
  });
}

/**
 * Plans the repair of a schema. Reads only, and takes no lock.
 * @returns the plan, and what would prevent it
 * @throws Failure as `runRepair`, except for differences that cannot be repaired: the plan lists them
 */
export async function planRepairOf(
  database: Database,
  config: Config,
): Promise<{ readonly planned: RepairPlan; readonly obstacle: Problem | null }> {
  const { plan, repair, obstacle } = await assessForRepair(database, config);
  if (repair !== null) return { planned: repair, obstacle };
  if (plan.kind !== 'refuse') return { planned: { steps: [], unsafe: [] }, obstacle };
  throw new Failure({ kind: 'refused', database: database.name, refusal: plan.refusal });
}

async function assessForRepair(database: Database, config: Config): Promise<Assessment> {
  const seen = await assess(database, { ...config, drift: 'repair' });
  const { state, plan } = seen;
  if (plan.kind === 'refuse' || state.kind === 'drifted' || state.kind === 'current') return seen;
  throw new Failure({
    kind: 'usage',
    message: describeNotAtHead(state.kind),
  });
}
