import { dateText } from '../calendar.ts';
import { at } from '../random.ts';
import { categories, remarks } from '../texts.ts';
import type { NewRow } from '../models/models.ts';
import { seedTag, money, type SeedContext, stamps } from './seed-context.ts';
import type { ProjectRef, TaskRef } from './work.ts';

/** The receipt number of an expense, by which the next run recognises it. */
export const receipt = (number: number): string => `DEV-R-${number}`;

export function categoryRows(context: SeedContext): readonly NewRow<'expense_categories'>[] {
  return categories.map(({ name, code, color }) => ({
    name,
    code,
    color,
    budget_threshold_percent: 80,
    requires_receipt: true,
    requires_approval: true,
    is_active: true,
    ...stamps(context),
  }));
}

/**
 * Builds the expenses with these numbers.
 * @param people ids of users
 * @throws RangeError if there are numbers, but no people or projects
 */
export function expenseRows(
  numbers: readonly number[],
  people: readonly number[],
  projects: readonly ProjectRef[],
  context: SeedContext,
): readonly NewRow<'expenses'>[] {
  return numbers.map((number) => {
    const index = number - 1;
    const random = context.random('expense', number);
    const project = at(projects, index);
    const category = at(categories, index);
    return {
      user_id: at(people, index),
      project_id: project.id,
      client_id: project.client.id,
      title: random.pick<string>(category.titles),
      category: category.code,
      amount: money(1000 + 25 * random.whole(0, 796)),
      currency_code: context.currency,
      tax_amount: 0,
      tax_rate: 0,
      status: 'approved',
      billable: false,
      reimbursable: true,
      invoiced: false,
      reimbursed: false,
      expense_date: dateText(context.today - (index % 90)),
      receipt_number: receipt(number),
      ...stamps(context),
    };
  });
}

/**
 * Builds the comments with these numbers.
 * @param people ids of users
 * @throws RangeError if there are numbers, but no people or tasks
 */
export function commentRows(
  numbers: readonly number[],
  people: readonly number[],
  tasks: readonly TaskRef[],
  context: SeedContext,
): readonly NewRow<'comments'>[] {
  return numbers.map((number) => ({
    task_id: at(tasks, number - 1).id,
    user_id: at(people, number - 1),
    content: `${context.random('comment', number).pick(remarks)} ${seedTag(number)}`,
    is_internal: true,
    is_client_comment: false,
    ...stamps(context),
  }));
}
