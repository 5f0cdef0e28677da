import type { Migration } from '../src/migration/migration.ts';

export const revision = '134_overtime_weekly';
export const parents: readonly string[] = ['133_merge_132_129_heads'];

/** Lets overtime be counted by the week. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('users', {
    overtime_calculation_mode: "VARCHAR(10) NOT NULL DEFAULT 'daily'",
    standard_hours_per_week: 'DOUBLE PRECISION',
  });
};
