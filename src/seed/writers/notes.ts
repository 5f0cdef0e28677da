import type { NewRow } from '../models/models.ts';
import type { SeedOptions } from '../options.ts';
import { categoryRows, commentRows, expenseRows } from '../generators/notes.ts';
import type { SeedContext } from '../generators/seed-context.ts';
import type { ProjectRef, TaskRef } from '../generators/work.ts';
import { add, ensure, missingNumbers, type SeedTarget, withoutTakenCodes } from '../write.ts';

const receipts = { column: 'receipt_number', pattern: /^DEV-R-(\d+)$/ } as const;
const remarks = { column: 'content', pattern: /\(dev (\d+)\)/ } as const;

/** Adds expenses, and their categories unless those are switched off. */
export async function writeExpenses(
  target: SeedTarget,
  { expenses, expenseCategories }: SeedOptions,
  people: readonly number[],
  projects: readonly ProjectRef[],
  context: SeedContext,
): Promise<void> {
  if (expenseCategories) {
    const withoutTaken = withoutTakenCodes<NewRow<'expense_categories'>>(target.models.expense_categories);
    await ensure(target, 'expense_categories', ['name'], categoryRows(context), withoutTaken);
  }
  if (projects.length === 0) return;
  const numbers = await missingNumbers(target.models.expenses, receipts, expenses);
  await add(target, 'expenses', expenseRows(numbers, people, projects, context));
}

/** Adds comments on tasks. */
export async function writeComments(
  target: SeedTarget,
  count: number,
  people: readonly number[],
  tasks: readonly TaskRef[],
  context: SeedContext,
): Promise<void> {
  if (tasks.length === 0) return;
  const numbers = await missingNumbers(target.models.comments, remarks, count);
  await add(target, 'comments', commentRows(numbers, people, tasks, context));
}
