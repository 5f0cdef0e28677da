import type { Engine } from '../database/session.ts';
import { changesInOrder, renderChange, type RepairPlan } from '../recovery/repair-plan.ts';
import { describeDifference } from './differences.ts';
import { describeUnsafe, ended, sqlFor } from './repair-text.ts';

/** A repair as SQL with comments: what would be done, or why nothing would be. */
export function renderRepair(plan: RepairPlan, engine: Engine): string {
  if (plan.unsafe.length > 0) {
    const blocks = plan.unsafe.flatMap((unsafe) => [`-- ${oneLine(describeUnsafe(unsafe))}`, ...sqlFor(unsafe), '']);
    const others = plan.steps.length === 0 ? [] : [`-- These would be added once nothing is in the way:`, ''];
    return text([
      '-- NOTHING WOULD BE CHANGED: what follows cannot be mended safely.',
      '-- Put it right by hand; what rows are in the way is found by the SELECT.',
      '',
      ...blocks,
      ...others,
      ...stepsOf(plan, engine),
    ]);
  }
  return text(plan.steps.length === 0 ? ['-- Nothing is missing.'] : stepsOf(plan, engine));
}

function stepsOf({ steps }: RepairPlan, engine: Engine): readonly string[] {
  return [
    ...steps.map(({ difference }) => `-- ${oneLine(describeDifference(difference).message)}`),
    ...changesInOrder(steps).map(({ change }) => ended(renderChange(change, engine))),
  ];
}

const oneLine = (sentence: string): string => sentence.replaceAll(/\s+/g, ' ');

const text = (lines: readonly string[]): string => `${lines.join('\n')}\n`;
