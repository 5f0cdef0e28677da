import type { Migration } from '../src/migration/migration.ts';

export const revision = '115_add_exclude_weekends';
export const parents: readonly string[] = ['114_enhance_audit_logs_timeentry'];

/** Lets weekly time goals exclude weekends. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('weekly_time_goals', 'exclude_weekends', 'BOOLEAN NOT NULL DEFAULT FALSE');
};
