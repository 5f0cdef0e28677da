import type { Migration } from '../src/migration/migration.ts';

export const revision = '176_add_global_rounding_policy';
export const parents: readonly string[] = ['175_add_rounding_boundary_and_minimum'];

/** Adds rounding for all users to the settings, not enforced. The rounding of each user is not changed. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('settings', {
    rounding_method: "VARCHAR(10) NOT NULL DEFAULT 'nearest'",
    rounding_minimum_minutes: 'INTEGER NOT NULL DEFAULT 0',
    rounding_enforce_global: 'BOOLEAN NOT NULL DEFAULT FALSE',
  });
};
