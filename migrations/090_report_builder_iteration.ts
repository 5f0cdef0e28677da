import type { Migration } from '../src/migration/migration.ts';
import { widenVersionColumn } from '../src/migration/version-column.ts';

export const revision = '090_report_builder_iteration';
export const parents: readonly string[] = ['089_fix_role_perm_sequences'];

/** Adds to reports and their schedules how they are split by the values of a field, and who receives which part. */
export const up: Migration = async ({ context: schema }) => {
  await widenVersionColumn(schema, 50);
  await schema.addColumns('report_email_schedules', {
    email_distribution_mode: 'VARCHAR(20)',
    recipient_email_template: 'VARCHAR(255)',
  });
  await schema.addColumns('saved_report_views', {
    iterative_report_generation: 'BOOLEAN NOT NULL DEFAULT FALSE',
    iterative_custom_field_name: 'VARCHAR(50)',
  });
};
