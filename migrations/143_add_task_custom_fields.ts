import type { Migration } from '../src/migration/migration.ts';

export const revision = '143_add_task_custom_fields';
export const parents: readonly string[] = ['142_add_mail_test_recipient'];

/** Adds custom fields to tasks. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('tasks', 'custom_fields', 'JSONB');
};
