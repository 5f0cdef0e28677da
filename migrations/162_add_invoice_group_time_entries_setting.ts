import type { Migration } from '../src/migration/migration.ts';

/** Lets the settings group time entries on invoices. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('settings', 'invoice_group_time_entries', 'BOOLEAN NOT NULL DEFAULT TRUE');
};
