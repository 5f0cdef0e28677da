import { dateText, type Day } from '../calendar.ts';
import { at } from '../random.ts';
import { services, taxRules } from '../texts.ts';
import type { NewRow } from '../models/models.ts';
import { money, numbersTo, type SeedContext, stamps } from './seed-context.ts';
import type { ProjectRef } from './work.ts';

type InvoiceItem = Omit<NewRow<'invoice_items'>, 'invoice_id'>;

/** An invoice with its items and payments, which have no `invoice_id` yet. */
export interface InvoicePlan {
  readonly invoice: NewRow<'invoices'>;
  readonly items: readonly InvoiceItem[];
  readonly payments: readonly Omit<NewRow<'payments'>, 'invoice_id'>[];
}

/** The tax rate of invoices, in percent. */
const taxRate = 21;
/** Days between issue and due date. */
const term = 30;
/** A sent invoice is partly paid, a paid invoice is fully paid, and a draft is not paid. */
const statuses = ['draft', 'sent', 'sent', 'paid', 'paid'] as const;

/** Builds the currencies: euro, dollar, and the currency of the settings. */
export function currencyRows(context: SeedContext): readonly NewRow<'currencies'>[] {
  return [...new Set(['EUR', 'USD', context.currency])].map((code) => {
    const format = new Intl.NumberFormat('en', { style: 'currency', currency: code, currencyDisplay: 'narrowSymbol' });
    return {
      code,
      name: new Intl.DisplayNames('en', { type: 'currency' }).of(code) ?? code,
      symbol: format.formatToParts(0).find(({ type }) => type === 'currency')?.value ?? code,
      decimal_places: format.resolvedOptions().maximumFractionDigits ?? 2,
      is_active: true,
      ...stamps(context),
    };
  });
}

/** Builds the first `count` tax rules, or all of them if there are fewer. */
export function taxRuleRows(count: number, context: SeedContext): readonly NewRow<'tax_rules'>[] {
  return taxRules.slice(0, count).map(([name, rate]) => ({
    name,
    country: 'BE',
    tax_code: 'VAT',
    rate_percent: rate,
    compound: false,
    inclusive: false,
    active: true,
    ...stamps(context),
  }));
}

/**
 * Plans invoices with their items and payments.
 * @param parts the largest number of payments of an invoice; 0 for no payments
 * @throws RangeError if there are invoices to plan, but no people or projects
 */
export function planInvoices(
  count: number,
  parts: number,
  people: readonly number[],
  projects: readonly ProjectRef[],
  context: SeedContext,
): readonly InvoicePlan[] {
  return numbersTo(count).map((number) => planInvoice(number, parts, at(people, number - 1), projects, context));
}

function planInvoice(
  number: number,
  parts: number,
  issuer: number,
  projects: readonly ProjectRef[],
  context: SeedContext,
): InvoicePlan {
  const index = number - 1;
  const { id, name, client } = at(projects, index);
  const lines = numbersTo(1 + (index % 3)).map((line) => lineOf(line, index, name, client.rate));
  const subtotal = lines.reduce((sum, { cents }) => sum + cents, 0);
  const tax = Math.round((subtotal * taxRate) / 100);
  const due = context.today - (index % 60);
  const settled = settle(index, subtotal + tax, parts, due);
  const payer = { currency: context.currency, received_by: issuer, method: 'bank_transfer', status: 'completed' };
  return {
    invoice: {
      invoice_number: invoiceNumber(number),
      project_id: id,
      client_id: client.id,
      client_name: client.name,
      client_email: client.email,
      client_address: client.address,
      issue_date: dateText(due - term),
      due_date: dateText(due),
      subtotal: money(subtotal),
      tax_rate: taxRate,
      tax_amount: money(tax),
      // the table has this column under an older name, too
      total: money(subtotal + tax),
      total_amount: money(subtotal + tax),
      currency_code: context.currency,
      created_by: issuer,
      ...settled.columns,
      ...stamps(context),
    },
    items: lines.map(({ row }) => ({ ...row, created_at: context.utc })),
    payments: settled.payments.map(({ cents, day }, part) => ({
      amount: money(cents),
      payment_date: dateText(day),
      reference: `${invoiceNumber(number)}-${part + 1}`,
      ...payer,
      ...stamps(context),
    })),
  };
}

const invoiceNumber = (number: number): string => `DEV-${1000 + number}`;

function lineOf(
  line: number,
  index: number,
  project: string,
  rate: number,
): { row: Omit<InvoiceItem, 'created_at'>; cents: number } {
  const quantity = 1 + ((index + line - 1) % 5);
  const cents = quantity * rate * 100;
  return {
    cents,
    row: {
      description: `${at(services, index + line)} – ${project}`,
      quantity,
      unit_price: rate,
      // the table has this column under an older name, too
      total: money(cents),
      total_amount: money(cents),
      is_stock_item: false,
    },
  };
}

interface Settlement {
  readonly columns: Pick<
    NewRow<'invoices'>,
    'status' | 'payment_status' | 'amount_paid' | 'payment_date' | 'payment_method'
  >;
  readonly payments: readonly { readonly cents: number; readonly day: Day }[];
}

/** Plans the payments of an invoice, and derives its status from them. */
function settle(index: number, total: number, parts: number, due: Day): Settlement {
  const status = parts === 0 && at(statuses, index) === 'paid' ? 'sent' : at(statuses, index);
  if (parts === 0 || status === 'draft') {
    const columns = { status, payment_status: 'unpaid', amount_paid: 0, payment_date: null, payment_method: null };
    return { columns, payments: [] };
  }
  const paid = status === 'paid' ? total : Math.floor((total * at([25, 40, 50], index)) / 100);
  const last = due - (index % 10);
  const number = 1 + (index % parts);
  return {
    columns: {
      status,
      payment_status: status === 'paid' ? 'fully_paid' : 'partially_paid',
      amount_paid: money(paid),
      payment_date: dateText(last),
      payment_method: 'bank_transfer',
    },
    payments: split(paid, number).map((cents, part) => ({ cents, day: last - 5 * (number - 1 - part) })),
  };
}

/** Splits an amount into parts of whole cents; the first part takes the remainder. */
function split(cents: number, parts: number): readonly number[] {
  const part = Math.floor(cents / parts);
  return numbersTo(parts).map((number) => (number === 1 ? cents - part * (parts - 1) : part));
}
