import type { RepairContext } from './constraint-rules.ts';
import type { Engine } from '../model/engine.ts';
import type { Difference } from '../model/difference.ts';
import { createNameAllocator } from './name-allocator.ts';
import { decide } from './decisions.ts';
import { type Change, phases, renderChange, type RepairPlan, type Step } from './repair-step.ts';

/**
 * Decides how each difference is mended, or why it is not. Pure: the conditions of the steps are still to be asked.
 *
 * Only what adds to the schema, or loosens it, is a step. Nothing that is there is dropped but indexes that a
 * cut-off creation left invalid, and no row is changed, for what was lost cannot be guessed.
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
