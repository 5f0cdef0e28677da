import type { NewRow } from '../models/models.ts';
import type { SeedOptions } from '../options.ts';
import { categoryRows, commentRows, expenseRows } from '../generators/notes.ts';
import type { Scene } from '../generators/seed-context.ts';
import type { ProjectRef, TaskRef } from '../generators/work.ts';
import { add, ensure, missingNumbers, type Site, withoutTakenCodes } from '../write.ts';

const receipts = { column: 'receipt_number', pattern: /^DEV-R-(\d+)$/ } as const;
const remarks = { column: 'content', pattern: /\(dev (\d+)\)/ } as const;

/** Categories of expenses, unless they are not wanted, and expenses. */
export async function plantExpenses(
  site: Site,
  { expenses, expenseCategories }: SeedOptions,
  people: readonly number[],
  projects: readonly ProjectRef[],
  scene: Scene,
): Promise<void> {
  if (expenseCategories) {
    const withoutTaken = withoutTakenCodes<NewRow<'expense_categories'>>(site.models.expense_categories);
    await ensure(site, 'expense_categories', ['name'], categoryRows(scene), withoutTaken);
  }
  if (projects.length === 0) return;
  const numbers = await missingNumbers(site.models.expenses, receipts, expenses);
  await add(site, 'expenses', expenseRows(numbers, people, projects, scene));
}

/** Comments on tasks. */
export async function plantComments(
  site: Site,
  count: number,
  people: readonly number[],
  tasks: readonly TaskRef[],
  scene: Scene,
): Promise<void> {
  if (tasks.length === 0) return;
  const numbers = await missingNumbers(site.models.comments, remarks, count);
  await add(site, 'comments', commentRows(numbers, people, tasks, scene));
}
