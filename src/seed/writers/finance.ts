import { text } from '../../database/rows.ts';
import type { SeedOptions } from '../options.ts';
import { at } from '../random.ts';
import { currencyRows, type InvoicePlan, planInvoices, taxRuleRows } from '../generators/finance.ts';
import type { Scene } from '../generators/seed-context.ts';
import type { ProjectRef } from '../generators/work.ts';
import { add, ensure, read, type Site } from '../write.ts';

/** Currencies, unless they are not wanted, tax rules, and invoices. */
export async function plantFinance(
  site: Site,
  options: SeedOptions,
  people: readonly number[],
  projects: readonly ProjectRef[],
  scene: Scene,
): Promise<void> {
  if (options.currencies) {
    const rows = await read(site.models.currencies, ['code']);
    const known = new Set(rows.map((row) => text(row, 'code')));
    await add(
      site,
      'currencies',
      currencyRows(scene).filter(({ code }) => !known.has(code)),
    );
  }
  await ensure(site, 'tax_rules', ['name'], taxRuleRows(options.taxRules, scene));
  if (projects.length > 0) await plantInvoices(site, options, people, projects, scene);
}

/** An invoice comes with its items and payments or not at all: what somebody made of an older one stays. */
async function plantInvoices(
  site: Site,
  { invoices: count, paymentsPerInvoice }: SeedOptions,
  people: readonly number[],
  projects: readonly ProjectRef[],
  scene: Scene,
): Promise<void> {
  const plans = planInvoices(count, paymentsPerInvoice, people, projects, scene);
  const rows = plans.map(({ invoice }) => invoice);
  const { ids, added } = await ensure(site, 'invoices', ['invoice_number'], rows);
  const of = <Part>(parts: (plan: InvoicePlan) => readonly Part[]): ({ readonly invoice_id: number } & Part)[] =>
    added.flatMap((place) => parts(at(plans, place)).map((row) => ({ invoice_id: at(ids, place), ...row })));
  await add(
    site,
    'invoice_items',
    of(({ items }) => items),
  );
  await add(
    site,
    'payments',
    of(({ payments }) => payments),
  );
}
