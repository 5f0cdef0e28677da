import type { Migration } from '../src/migration/migration.ts';

/** Lets scheduled reports cover the month before. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('report_email_schedules', 'use_last_month_dates', 'BOOLEAN NOT NULL DEFAULT FALSE');
};
