import type { Migration } from '../src/migration/migration.ts';

/** Adds payment terms to quotes. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('quotes', 'payment_terms', 'VARCHAR(100)');
};
