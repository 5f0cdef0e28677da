import type { Migration } from '../src/migration/migration.ts';

export const revision = '053';
export const parents: readonly string[] = ['052'];

/** Adds payment terms to quotes. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('quotes', 'payment_terms', 'VARCHAR(100)');
};
