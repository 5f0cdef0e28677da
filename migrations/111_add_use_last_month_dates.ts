import type { Migration } from '../src/migration/migration.ts';

export const revision = '111_add_use_last_month_dates';
export const parents: readonly string[] = ['110_add_disabled_module_ids'];

/** Lets scheduled reports cover the previous month. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('report_email_schedules', 'use_last_month_dates', 'BOOLEAN NOT NULL DEFAULT FALSE');
};
