import type { Migration } from '../src/migration/migration.ts';

/** Lets weekly time goals leave out weekends. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('weekly_time_goals', 'exclude_weekends', 'BOOLEAN NOT NULL DEFAULT FALSE');
};
