import type { Migration } from '../src/migration/migration.ts';

export const revision = '088_salesman_splitting_reports';
export const parents: readonly string[] = ['087_salesman_email_mapping'];

/** Adds a flag to scheduled reports: whether they are split by salesman. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('report_email_schedules', {
    split_by_salesman: 'BOOLEAN NOT NULL DEFAULT FALSE',
    salesman_field_name: 'VARCHAR(50)',
  });
};
