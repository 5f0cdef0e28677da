import type { Migration } from '../src/migration/migration.ts';

export const revision = '131_add_donation_variant';
export const parents: readonly string[] = ['130_add_peppol_transport_mode_and_native'];

/** Adds the variant of the request for donations that a user has seen. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('donation_interactions', 'variant', 'VARCHAR(50)');
};
