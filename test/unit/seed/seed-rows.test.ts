import { describe, expect, it } from 'vitest';
import { randomFor } from '../../../src/seed/random.ts';
import { planInvoices } from '../../../src/seed/generators/finance.ts';
import { planStock } from '../../../src/seed/generators/inventory.ts';
import { expenseRows } from '../../../src/seed/generators/notes.ts';
import { numbersTo, type SeedContext } from '../../../src/seed/generators/seed-context.ts';
import { schedule } from '../../../src/seed/generators/schedule.ts';
import { timeEntryRows } from '../../../src/seed/generators/time.ts';
import {
  clientRefs,
  clientRows,
  projectRefs,
  projectRows,
  taskRefs,
  taskRows,
} from '../../../src/seed/generators/work.ts';
import { clientName, most, personName, projectName, taskName } from '../../../src/seed/texts.ts';

const context: SeedContext = {
  random: randomFor(1),
  today: 20_000,
  utc: '2024-10-04 10:00:00.000000',
  local: '2024-10-04 12:00:00.000000',
  currency: 'EUR',
};
const clients = clientRefs([11, 12], context);
const projects = projectRefs([21, 22, 23, 24], clients);
const tasks = taskRefs(numbersTo(24), projects);

describe('the rows of the seed', () => {
  it('have unique names', () => {
    for (const [name, count] of [
      [personName, most.people],
      [clientName, most.clients],
      [projectName, 100],
      [taskName, 200],
    ] as const) {
      const names = numbersTo(count).map((number) => name(number - 1));
      expect(new Set(names).size).toBe(count);
      expect(names.every((each) => each === each.trim() && each.length < 80)).toBe(true);
    }
    expect(Math.min(most.people, most.clients)).toBeGreaterThanOrEqual(500);
  });

  it('of a smaller set are among those of a larger one', () => {
    const larger = clientRows(9, context);
    expect(larger.slice(0, 5)).toEqual(clientRows(5, context));
    const invoices = planInvoices(9, 1, [1, 2], projects, context);
    expect(invoices.slice(0, 5)).toEqual(planInvoices(5, 1, [1, 2], projects, context));
  });

  it('refer to the rows that they belong to', () => {
    expect(projects.map(({ client }) => client.id)).toEqual([11, 11, 12, 12]);
    expect(projectRows(clients, 2, context).map((row) => [row['client_id'], row['code']])).toEqual([
      [11, 'DEV001-01'],
      [11, 'DEV001-02'],
      [12, 'DEV002-01'],
      [12, 'DEV002-02'],
    ]);
    const statuses = taskRows(projects, 6, [5, 6], context).map(({ status }) => status);
    expect(statuses.slice(0, 6)).toEqual(['todo', 'in_progress', 'review', 'done', 'done', 'done']);
    expect(expenseRows([3], [5, 6], projects, context)).toMatchObject([
      { user_id: 5, project_id: 23, client_id: 12, category: 'accommodation', receipt_number: 'DEV-R-3' },
    ]);
  });

  it('contain no time for tasks that are not begun', () => {
    const placements = numbersTo(40).map((number) => ({ number, person: 0, from: number * 60, to: number * 60 + 30 }));
    const rows = timeEntryRows(placements, [5], tasks, context);
    const untouched = tasks.filter((task) => task.untouched).map(({ id }) => id);
    expect(untouched).toEqual([1, 7, 13, 19]);
    expect(rows.filter((row) => untouched.includes(Number(row['task_id'])))).toEqual([]);
    expect(rows[0]).toMatchObject({ duration_seconds: 1800, start_time: '1970-01-01 01:00:00.000000' });
    expect(timeEntryRows(placements.slice(0, 1), [5], tasks.slice(0, 1), context)).toMatchObject([{ task_id: 1 }]);
  });
});

describe('planInvoices', () => {
  it.each([0, 1, 2, 5])('divides the paid amount into at most %s payments, to the cent', (parts) => {
    for (const { invoice, items, payments } of planInvoices(60, parts, [1, 2, 3], projects, context)) {
      const sum = (rows: readonly Readonly<Record<string, unknown>>[], name: string): number =>
        rows.reduce((total, row) => total + Math.round(Number(row[name]) * 100), 0);
      const total = Math.round(invoice['total_amount'] * 100);
      expect(sum(items, 'total_amount')).toBe(Math.round(invoice['subtotal'] * 100));
      expect(sum([invoice], 'subtotal') + sum([invoice], 'tax_amount')).toBe(total);
      expect(sum(payments, 'amount')).toBe(sum([invoice], 'amount_paid'));
      expect(payments.length).toBeLessThanOrEqual(parts);
      expect(invoice['status'] === 'paid').toBe(sum(payments, 'amount') === total);
      for (const { payment_date: day } of payments) {
        expect(day > invoice['issue_date'] && day <= invoice['due_date']).toBe(true);
      }
    }
  });
});

describe('planStock', () => {
  const level = { warehouseId: 1, itemId: 2 };

  it('opens a missing level, and adds to an existing one', () => {
    const made = planStock([{ ...level, found: null, missing: true }], [1, 2], [7], context);
    const moved = made.movements.reduce((sum, { quantity }) => sum + quantity, 0);
    expect(made.movements.map(({ reason }) => reason)).toEqual([
      'Opening stock',
      'Counted again (dev 1)',
      'Delivery (dev 2)',
    ]);
    expect(made.levels).toMatchObject([{ quantity_on_hand: moved }]);
    expect(made.changes).toEqual([]);

    const found = planStock([{ ...level, found: 550, missing: false }], [2], [7], context);
    expect(found.levels).toEqual([]);
    expect(found.movements).toHaveLength(1);
    expect(found.changes).toMatchObject([{ ...level, quantity: 2 }]);
  });

  it('opens no level that has movements already', () => {
    const { levels, movements } = planStock([{ ...level, found: 550, missing: true }], [2], [7], context);
    expect(levels).toMatchObject([{ quantity_on_hand: 7.5 }]);
    expect(movements).toMatchObject([{ movement_type: 'purchase', quantity: 2 }]);
  });

  it('takes nothing from an existing level: it may have been empty on that day', () => {
    const { changes, movements } = planStock([{ ...level, found: 10_000, missing: false }], [1], [7], context);
    expect(movements).toMatchObject([{ movement_type: 'adjustment', quantity: 2 }]);
    expect(changes).toMatchObject([{ quantity: 2 }]);
  });

  it('takes no more than the opening stock, whenever stock arrived', () => {
    const { movements } = planStock([{ ...level, found: null, missing: true }], numbersTo(2000), [7], context);
    const quantities = movements.map(({ quantity }) => quantity);
    const taken = quantities.filter((quantity) => quantity < 0).reduce((sum, quantity) => sum + quantity, 0);
    expect((quantities[0] ?? 0) + taken).toBe(0);
  });
});

describe('schedule', () => {
  const days = [100, 101, 104, 105];
  const day = 24 * 60;

  it('fills the days without an overlap, and returns the entries that do not fit', () => {
    const busy = [{ from: 100 * day, to: 106 * day }];
    const placements = schedule(numbersTo(48), days, [[], busy, []], randomFor(3)) ?? [];
    expect(placements).toHaveLength(48);
    expect(placements.filter(({ person }) => person === 1)).toEqual([]);
    for (const person of [0, 2]) {
      const own = placements.filter((each) => each.person === person).toSorted((a, b) => a.from - b.from);
      expect(own.every(({ from }, index) => from >= (own[index - 1]?.to ?? 0))).toBe(true);
      expect(own.every(({ from, to }) => from % day >= 8 * 60 && to % day <= 18 * 60 && to > from)).toBe(true);
    }
    expect(placements.every(({ from }) => days.includes(Math.floor(from / day)))).toBe(true);
  });

  it('has room for six entries a day, for all random choices', () => {
    for (const seed of numbersTo(20)) {
      expect(schedule(numbersTo(24), days, [[]], randomFor(seed))).toHaveLength(24);
    }
  });

  it('stops when all days are full', () => {
    expect(schedule([1], days, [[{ from: 0, to: 200 * day }]], randomFor(1))).toBeNull();
  });

  it('makes the same choices again', () => {
    const choose = (seed: number) => schedule(numbersTo(12), days, [[], []], randomFor(seed));
    expect(choose(5)).toEqual(choose(5));
    expect(choose(6)).not.toEqual(choose(5));
  });
});
