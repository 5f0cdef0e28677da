import type { Migration } from '../src/migration/migration.ts';

/** Adds which variant of a request for donations a user has seen. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('donation_interactions', 'variant', 'VARCHAR(50)');
};
