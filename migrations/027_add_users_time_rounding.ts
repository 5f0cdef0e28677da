import type { Migration } from '../src/migration/migration.ts';

export const revision = '027';
export const parents: readonly string[] = ['026'];

/** Adds time rounding preferences to users. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('users', {
    time_rounding_enabled: 'BOOLEAN NOT NULL DEFAULT TRUE',
    time_rounding_minutes: 'INTEGER NOT NULL DEFAULT 1',
    time_rounding_method: "VARCHAR(10) NOT NULL DEFAULT 'nearest'",
  });
};
