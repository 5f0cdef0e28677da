import type { Migration } from '../src/migration/migration.ts';

export const revision = '083_add_paid_status_time_entries';
export const parents: readonly string[] = ['082_add_global_integrations'];

/** Adds the paid status and its invoice to time entries. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('time_entries', {
    paid: 'BOOLEAN NOT NULL DEFAULT FALSE',
    invoice_number: 'VARCHAR(100)',
  });
  await schema.addIndex('time_entries', ['paid'], { name: 'idx_time_entries_paid' });
};
