import type { Migration } from '../src/migration/migration.ts';

/** Adds what other systems know about invoices and expenses. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('expenses', 'integration_metadata', 'JSON');
  await schema.addColumn('invoices', 'integration_metadata', 'JSON');
};
