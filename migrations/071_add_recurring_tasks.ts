import type { Migration } from '../src/migration/migration.ts';

export const revision = '071_add_recurring_tasks';
export const parents: readonly string[] = ['070_add_time_entry_approvals'];

/** Creates recurring_tasks. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('recurring_tasks', {
    id: 'SERIAL PRIMARY KEY',
    name: 'VARCHAR(200) NOT NULL',
    project_id: 'INTEGER NOT NULL REFERENCES projects(id)',
    frequency: 'VARCHAR(20) NOT NULL',
    interval: 'INTEGER NOT NULL DEFAULT 1',
    next_run_date: 'DATE NOT NULL',
    end_date: 'DATE',
    task_name_template: 'VARCHAR(500) NOT NULL',
    description: 'TEXT',
    priority: "VARCHAR(20) NOT NULL DEFAULT 'medium'",
    estimated_hours: 'NUMERIC(10,2)',
    assigned_to: 'INTEGER REFERENCES users(id)',
    is_active: 'BOOLEAN NOT NULL DEFAULT TRUE',
    auto_assign: 'BOOLEAN NOT NULL DEFAULT FALSE',
    created_by: 'INTEGER NOT NULL REFERENCES users(id)',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
    last_created_at: 'TIMESTAMP',
    tasks_created_count: 'INTEGER NOT NULL DEFAULT 0',
  });
  await schema.addIndex('recurring_tasks', ['assigned_to'], { name: 'ix_recurring_tasks_assigned_to' });
  await schema.addIndex('recurring_tasks', ['project_id'], { name: 'ix_recurring_tasks_project_id' });
};
