import type { Migration } from '../src/migration/migration.ts';

export const revision = '162_add_invoice_group_time_entries_setting';
export const parents: readonly string[] = ['161_add_workflow_templates'];

/** Lets the settings group time entries on invoices. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('settings', 'invoice_group_time_entries', 'BOOLEAN NOT NULL DEFAULT TRUE');
};
