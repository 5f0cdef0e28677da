import type { RepairContext } from './constraint-rules.ts';
import type { Engine } from '../model/engine.ts';
import type { Difference } from '../model/difference.ts';
import { findColumnInOtherCase, findUnderOtherName } from '../schema/other-names.ts';
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
  const faulty = new Set(differences.flatMap((difference) => faultyParts(difference, context)));
  const decisions = differences.map((difference) => decide(difference, { ...context, names, faulty }));
  return {
    steps: decisions.filter((decision) => decision.kind === 'step'),
    unsafe: decisions.filter((decision) => decision.kind === 'unsafe'),
  };
}

/** The table or column of a difference, if it must be corrected before its rows can be queried. */
function faultyParts(difference: Difference, { facts, head }: RepairContext): readonly string[] {
  if (difference.kind === 'different-type') return [`${difference.table}.${difference.column}`];
  if (difference.kind === 'missing-table') {
    return findUnderOtherName(difference.table, head, facts.catalog) === null ? [] : [difference.table];
  }
  if (difference.kind !== 'missing-column') return [];
  const { table, column } = difference;
  return findColumnInOtherCase(table, column, head, facts.catalog) === null ? [] : [`${table}.${column}`];
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
