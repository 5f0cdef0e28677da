import { text } from '../../database/row-values.ts';
import type { SeedOptions } from '../options.ts';
import { at } from '../random.ts';
import { currencyRows, type InvoicePlan, planInvoices, taxRuleRows } from '../generators/finance.ts';
import type { SeedContext } from '../generators/seed-context.ts';
import type { ProjectRef } from '../generators/work.ts';
import { add, ensure, read, type SeedTarget } from '../write.ts';

/** Adds tax rules, invoices, and currencies unless those are switched off. */
export async function writeFinance(
  target: SeedTarget,
  options: SeedOptions,
  people: readonly number[],
  projects: readonly ProjectRef[],
  context: SeedContext,
): Promise<void> {
  if (options.currencies) {
    const rows = await read(target.models.currencies, ['code']);
    const known = new Set(rows.map((row) => text(row, 'code')));
    await add(
      target,
      'currencies',
      currencyRows(context).filter(({ code }) => !known.has(code)),
    );
  }
  await ensure(target, 'tax_rules', ['name'], taxRuleRows(options.taxRules, context));
  if (projects.length > 0) await writeInvoices(target, options, people, projects, context);
}

/** Adds invoices together with their items and payments. Existing invoices are not changed. */
async function writeInvoices(
  target: SeedTarget,
  { invoices: count, paymentsPerInvoice }: SeedOptions,
  people: readonly number[],
  projects: readonly ProjectRef[],
  context: SeedContext,
): Promise<void> {
  const plans = planInvoices(count, paymentsPerInvoice, people, projects, context);
  const rows = plans.map(({ invoice }) => invoice);
  const { ids, added } = await ensure(target, 'invoices', ['invoice_number'], rows);
  const of = <Part>(parts: (plan: InvoicePlan) => readonly Part[]): ({ readonly invoice_id: number } & Part)[] =>
    added.flatMap((place) => parts(at(plans, place)).map((row) => ({ invoice_id: at(ids, place), ...row })));
  await add(
    target,
    'invoice_items',
    of(({ items }) => items),
  );
  await add(
    target,
    'payments',
    of(({ payments }) => payments),
  );
}
