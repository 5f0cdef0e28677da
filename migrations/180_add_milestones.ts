import type { Migration } from '../src/migration/migration.ts';

export const revision = '180_add_milestones';
export const parents: readonly string[] = ['179_add_task_dependencies'];

/** Creates milestones of projects, and adds the milestone to tasks; existing tasks have none. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('milestones', {
    id: 'SERIAL PRIMARY KEY',
    project_id: 'INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE',
    name: 'VARCHAR(200) NOT NULL',
    description: 'TEXT',
    due_date: 'DATE',
    status: "VARCHAR(20) NOT NULL DEFAULT 'upcoming'",
    created_by: 'INTEGER REFERENCES users(id) ON DELETE SET NULL',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('milestones', ['created_by'], { name: 'ix_milestones_created_by' });
  await schema.addIndex('milestones', ['due_date'], { name: 'ix_milestones_due_date' });
  await schema.addIndex('milestones', ['project_id'], { name: 'ix_milestones_project_id' });
  await schema.addIndex('milestones', ['status'], { name: 'ix_milestones_status' });

  await schema.addColumn('tasks', 'milestone_id', 'INTEGER REFERENCES milestones(id) ON DELETE SET NULL');
  await schema.addIndex('tasks', ['milestone_id'], { name: 'ix_tasks_milestone_id' });
};
