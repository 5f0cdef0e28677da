import type { Migration } from '../src/migration/migration.ts';

/** Lets the settings demand invoices that comply with Peppol. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('settings', 'invoices_peppol_compliant', 'BOOLEAN NOT NULL DEFAULT FALSE');
};
