import type { Migration } from '../src/migration/migration.ts';

export const revision = '005';
export const parents: readonly string[] = ['004'];

/** Adds backup and export settings, and the duration in seconds to time entries. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('settings', {
    backup_retention_days: 'INTEGER NOT NULL DEFAULT 30',
    backup_time: "VARCHAR(5) NOT NULL DEFAULT '02:00'",
    export_delimiter: "VARCHAR(1) NOT NULL DEFAULT ','",
  });
  await schema.addColumn('time_entries', 'duration_seconds', 'INTEGER');
};
