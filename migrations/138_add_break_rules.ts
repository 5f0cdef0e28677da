import type { Migration } from '../src/migration/migration.ts';

export const revision = '138_add_break_rules';
export const parents: readonly string[] = ['137_add_break_time'];

/** Adds the rules for breaks to the settings: after how many hours, and how long. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('settings', {
    break_after_hours_1: "DOUBLE PRECISION DEFAULT '6'",
    break_minutes_1: 'INTEGER DEFAULT 30',
    break_after_hours_2: "DOUBLE PRECISION DEFAULT '9'",
    break_minutes_2: 'INTEGER DEFAULT 45',
  });
};
