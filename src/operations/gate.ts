import type { GateContext } from '../execution/migrate-and-repair.ts';
import { executePlan } from '../execution/execute-plan.ts';
import { assess } from '../assessment/assess.ts';
import type { Depth } from '../database/database.ts';
import { loadExpectedSchema } from '../schema/expected-schema.ts';

/**
 * Takes the lock, assesses the database, and executes the plan. Returns only if the application may start.
 * @param depth `whole` if the run reports what it has seen
 * @throws Failure with the reason why it may not start
 */
export async function runGate(context: GateContext, depth: Depth): Promise<void> {
  const { database, config, recorder } = context;
  // read the file of the expected schema while the server reads its catalog
  const expected = loadExpectedSchema(database.engine);
  await database.withLock(async () => {
    const seen = await assess(database, config, depth, expected);
    recorder.assessed(seen);
    await executePlan(seen, context);
  }, depth);
}
