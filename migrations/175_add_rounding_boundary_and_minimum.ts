import type { Migration } from '../src/migration/migration.ts';

/** Adds the shortest time that is billed to users: none. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('users', 'time_rounding_minimum_minutes', 'INTEGER NOT NULL DEFAULT 0');
};
