import type { Migration } from '../src/migration/migration.ts';

/** Adds to time entries whether they are paid, and by which invoice. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('time_entries', {
    paid: 'BOOLEAN NOT NULL DEFAULT FALSE',
    invoice_number: 'VARCHAR(100)',
  });
  await schema.addIndex('time_entries', ['paid'], { name: 'idx_time_entries_paid' });
};
