import type { Migration } from '../src/migration/migration.ts';

export const revision = '112_add_invoices_peppol_compliant';
export const parents: readonly string[] = ['111_add_use_last_month_dates'];

/** Lets the settings demand invoices that comply with Peppol. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('settings', 'invoices_peppol_compliant', 'BOOLEAN NOT NULL DEFAULT FALSE');
};
