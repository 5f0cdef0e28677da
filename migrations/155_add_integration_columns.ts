import type { Migration } from '../src/migration/migration.ts';

export const revision = '155_add_integration_columns';
export const parents: readonly string[] = ['154_add_smart_notify_break_and_eod'];

/** Links tasks to issues, and users to accounts, in other systems. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('tasks', 'external_ref', 'VARCHAR(200)');
  await schema.addColumn('users', 'github_username', 'VARCHAR(100)');
  await schema.addIndex('tasks', ['external_ref'], { name: 'ix_tasks_external_ref' });
};
