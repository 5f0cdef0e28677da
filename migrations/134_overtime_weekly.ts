import type { Migration } from '../src/migration/migration.ts';

/** Lets overtime be counted by the week. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('users', {
    overtime_calculation_mode: "VARCHAR(10) NOT NULL DEFAULT 'daily'",
    standard_hours_per_week: 'DOUBLE PRECISION',
  });
};
