import type { Migration } from '../src/migration/migration.ts';

export const revision = '173_add_auto_break_settings';
export const parents: readonly string[] = ['172_add_workday_auto_close_confirmation'];

/** Adds automatic breaks, switched off. Existing breaks count as entered by hand. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('attendance_breaks', 'is_auto_break', 'BOOLEAN NOT NULL DEFAULT FALSE');
  await schema.addColumns('settings', {
    auto_break_enabled: 'BOOLEAN NOT NULL DEFAULT FALSE',
    auto_break_after_hours: "DOUBLE PRECISION NOT NULL DEFAULT '6.0'",
    auto_break_duration_minutes: 'INTEGER NOT NULL DEFAULT 30',
  });
};
