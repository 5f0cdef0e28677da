import type { Migration } from '../src/migration/migration.ts';

/** Adds the buyer's reference to invoices. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('invoices', 'buyer_reference', 'VARCHAR(200)');
};
