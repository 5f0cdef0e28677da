import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Session } from '../../../src/database/session.ts';
import { seededTables } from '../../../src/seed/tables.ts';
import type { RunResult } from '../../support/run.ts';
import { dbInit, withSession } from '../upgrade/release-database.ts';

/** A few rows of each kind, for tests that do not count them. */
export const few = words(`--users 2 --clients 2 --projects-per-client 2 --tasks-per-project 3 --time-entries 60
  --expenses 8 --comments 9 --warehouses 2 --stock-items 4 --stock-movements 10 --invoices 6`);

/** Half as many rows more of each kind. */
export const more = words(`--users 3 --clients 3 --projects-per-client 3 --tasks-per-project 4 --time-entries 90
  --expenses 12 --comments 14 --warehouses 3 --stock-items 6 --stock-movements 25 --tax-rules 3 --invoices 9
  --payments-per-invoice 3`);

function words(text: string): readonly string[] {
  return text.split(/\s+/);
}

/** Runs the seed as a development system does. */
export const seed = (
  url: string,
  options: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<RunResult> => dbInit(['seed', ...options], url, { FLASK_ENV: 'development', ...environment });

/** How many rows each of the seed's tables holds. */
export async function countsIn(url: string): Promise<Readonly<Record<string, number>>> {
  return withSession(url, async (session) => {
    const counts: Record<string, number> = {};
    for (const table of seededTables)
      counts[table] = Number((await column(session, `SELECT count(*) AS x FROM ${table}`))[0]);
    return counts;
  });
}

/** The values of the column `x` of a query, as texts. */
export async function column(session: Session, sql: string): Promise<readonly string[]> {
  return (await session.query(sql)).map((row) => String(row['x']));
}

/** The faults in the rows of the seed, by name. There should be none. */
export function faultsIn(url: string): Promise<Readonly<Record<string, readonly string[]>>> {
  return withSession(url, async (session) => {
    const faults: Record<string, readonly string[]> = {};
    for (const [name, sql] of Object.entries({ ...rules, ...(await references()) })) {
      const found = await column(session, sql);
      if (found.length > 0) faults[name] = found;
    }
    return faults;
  });
}

const ours = "notes LIKE '%(dev %'";

/** Queries for faulty rows. */
const rules: Readonly<Record<string, string>> = {
  'overlapping entries': `SELECT a.id AS x FROM time_entries a JOIN time_entries b ON a.user_id = b.user_id AND a.id <> b.id
    WHERE a.${ours} AND a.start_time < b.end_time AND b.start_time < a.end_time`,
  'entries of another project': `SELECT e.id AS x FROM time_entries e JOIN tasks t ON t.id = e.task_id
    JOIN projects p ON p.id = t.project_id WHERE ${ours} AND (e.project_id <> p.id OR e.client_id <> p.client_id)`,
  'invoices that do not add up': `SELECT invoice_number AS x FROM invoices i WHERE invoice_number LIKE 'DEV-%' AND
    (subtotal <> (SELECT sum(total_amount) FROM invoice_items WHERE invoice_id = i.id)
     OR abs(tax_amount - subtotal * tax_rate / 100.0) > 0.0051 OR abs(total_amount - subtotal - tax_amount) > 0.001
     OR total <> total_amount)`,
  'items that do not add up': `SELECT id AS x FROM invoice_items
    WHERE description LIKE '% – %' AND total_amount <> quantity * unit_price`,
  'payments that are not the amount paid': `SELECT invoice_number AS x FROM invoices i WHERE invoice_number LIKE 'DEV-%' AND
    abs(amount_paid - (SELECT coalesce(sum(amount), 0) FROM payments WHERE invoice_id = i.id)) > 0.001`,
  'more paid than owed': `SELECT invoice_number AS x FROM invoices
    WHERE invoice_number LIKE 'DEV-%' AND amount_paid > total_amount`,
  'a status that does not fit': `SELECT invoice_number AS x FROM invoices WHERE invoice_number LIKE 'DEV-%' AND
    (CASE WHEN amount_paid = total_amount THEN 'paid fully_paid' WHEN amount_paid > 0 THEN 'sent partially_paid'
     WHEN status = 'sent' THEN 'sent unpaid' ELSE 'draft unpaid' END) <> status || ' ' || payment_status`,
  'payments before the invoice': `SELECT p.id AS x FROM payments p JOIN invoices i ON i.id = p.invoice_id
    WHERE reference LIKE 'DEV-%' AND p.payment_date < i.issue_date`,
  'levels that are not the sum of movements': `SELECT s.id AS x FROM warehouse_stock s JOIN warehouses w ON w.id = s.warehouse_id
    WHERE w.code LIKE 'DEV-W%' AND (quantity_on_hand < 0 OR quantity_on_hand <> (SELECT sum(quantity) FROM stock_movements m
      WHERE m.warehouse_id = s.warehouse_id AND m.stock_item_id = s.stock_item_id))`,
  'levels below zero on some day': `SELECT id AS x FROM (SELECT m.id, sum(quantity) OVER
      (PARTITION BY warehouse_id, stock_item_id ORDER BY moved_at, m.id) AS level
    FROM stock_movements m JOIN warehouses w ON w.id = m.warehouse_id WHERE w.code LIKE 'DEV-W%') AS days WHERE level < 0`,
};

/** Rows of the seed's tables with a dangling reference, by the foreign keys of PostgreSQL, because SQLite lacks some. */
async function references(): Promise<Readonly<Record<string, string>>> {
  const file = join(import.meta.dirname, '../../../src/schema/head.postgresql.json');
  const head: { tables: Record<string, { constraints: Record<string, string> }> } = JSON.parse(
    await readFile(file, 'utf8'),
  );
  const entries = seededTables.flatMap((table) =>
    Object.values(head.tables[table]?.constraints ?? {}).flatMap((definition) => {
      const [, from = '', to = '', key = ''] =
        /^FOREIGN KEY \((\w+)\) REFERENCES (\w+)\((\w+)\)/.exec(definition) ?? [];
      if (from === '') return [];
      const sql = `SELECT ${from} AS x FROM ${table} WHERE ${from} IS NOT NULL AND ${from} NOT IN (SELECT ${key} FROM ${to})`;
      return [[`${table}.${from} without ${to}`, sql] as const];
    }),
  );
  return Object.fromEntries(entries);
}
