import type { SeedOptions } from '../options.ts';
import { categoryRows, commentRows, expenseRows } from '../generators/notes.ts';
import type { Scene } from '../generators/seed-context.ts';
import type { ProjectRef, TaskRef } from '../generators/work.ts';
import { add, ensure, missingNumbers, type Site, withoutTaken } from '../write.ts';

const receipts = { table: 'expenses', column: 'receipt_number', like: 'DEV-R-%', pattern: /^DEV-R-(\d+)$/ } as const;
const remarks = { table: 'comments', column: 'content', like: '%(dev %', pattern: /\(dev (\d+)\)/ } as const;

/** Categories of expenses, unless they are not wanted, and expenses. */
export async function plantExpenses(
  site: Site,
  { expenses, expenseCategories }: SeedOptions,
  people: readonly number[],
  projects: readonly ProjectRef[],
  scene: Scene,
): Promise<void> {
  if (expenseCategories) {
    const taken = withoutTaken(site.session, 'expense_categories', 'code');
    await ensure(site, 'expense_categories', ['name'], categoryRows(scene), taken);
  }
  if (projects.length === 0) return;
  const numbers = await missingNumbers(site.session, receipts, expenses);
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
  const numbers = await missingNumbers(site.session, remarks, count);
  await add(site, 'comments', commentRows(numbers, people, tasks, scene));
}
