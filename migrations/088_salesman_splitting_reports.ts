import type { Migration } from '../src/migration/migration.ts';

/** Adds to scheduled reports whether they are split by salesman. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('report_email_schedules', {
    split_by_salesman: 'BOOLEAN NOT NULL DEFAULT FALSE',
    salesman_field_name: 'VARCHAR(50)',
  });
};
