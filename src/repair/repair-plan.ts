import type { RepairContext } from './constraint-rules.ts';
import type { Engine } from '../model/engine.ts';
import type { Difference } from '../model/difference.ts';
import { createNameAllocator } from './name-allocator.ts';
import { decide } from './decisions.ts';
import { type Change, phases, renderChange, type RepairPlan, type Step } from './repair-step.ts';

/**
 * Decides how each difference is repaired, or why it is not. Pure: the caller must still check the conditions of the
 * steps.
 *
 * Steps only add to the schema or loosen it. They drop nothing except invalid indexes of an interrupted creation, and
 * change no row, because lost values cannot be guessed.
 */
export function planRepair(differences: readonly Difference[], context: RepairContext): RepairPlan {
  const names = createNameAllocator(context.facts);
  const mistyped = new Set(
    differences.flatMap((difference) =>
      difference.kind === 'different-type' ? [`${difference.table}.${difference.column}`] : [],
    ),
  );
  const decisions = differences.map((difference) => decide(difference, { ...context, names, mistyped }));
  return {
    steps: decisions.filter((decision) => decision.kind === 'step'),
    unsafe: decisions.filter((decision) => decision.kind === 'unsafe'),
  };
}

/** All changes of some steps, in the order in which they are made. */
export function changesInOrder(steps: readonly Step[]): readonly { readonly step: Step; readonly change: Change }[] {
  const changes = steps.flatMap((step) => step.changes.map((change) => ({ step, change })));
  return phases.flatMap((phase) => changes.filter(({ change }) => change.phase === phase));
}

/** The changes of some steps as SQL. */
export function statementsOf(steps: readonly Step[], engine: Engine): readonly string[] {
  return changesInOrder(steps).map(({ change }) => renderChange(change, engine));
}
