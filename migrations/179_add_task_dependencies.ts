import type { Migration } from '../src/migration/migration.ts';

export const revision = '179_add_task_dependencies';
export const parents: readonly string[] = ['178_fix_approvalstatus_enum_case'];

/** Creates dependencies between tasks. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable(
    'task_dependencies',
    {
      id: 'SERIAL PRIMARY KEY',
      task_id: 'INTEGER NOT NULL REFERENCES tasks(id) ON DELETE CASCADE',
      depends_on_id: 'INTEGER NOT NULL REFERENCES tasks(id) ON DELETE CASCADE',
      dependency_type: "VARCHAR(20) NOT NULL DEFAULT 'finish_to_start'",
      created_at: 'TIMESTAMP NOT NULL',
    },
    {
      uq_task_dependencies_pair: 'UNIQUE (task_id, depends_on_id)',
    },
  );
  await schema.addIndex('task_dependencies', ['depends_on_id'], { name: 'ix_task_dependencies_depends_on_id' });
  await schema.addIndex('task_dependencies', ['task_id'], { name: 'ix_task_dependencies_task_id' });
};
