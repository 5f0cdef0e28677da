import type { Migration } from '../src/migration/migration.ts';

export const revision = '004';
export const parents: readonly string[] = ['003'];

/** Creates task_activities, the activity log of tasks. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('task_activities', {
    id: 'SERIAL PRIMARY KEY',
    task_id: 'INTEGER NOT NULL REFERENCES tasks(id) ON DELETE CASCADE',
    user_id: 'INTEGER REFERENCES users(id) ON DELETE SET NULL',
    event: 'VARCHAR(50) NOT NULL',
    details: 'TEXT',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });
  await schema.addIndex('task_activities', ['created_at'], { name: 'idx_task_activities_created_at' });
  await schema.addIndex('task_activities', ['event'], { name: 'idx_task_activities_event' });
  await schema.addIndex('task_activities', ['task_id'], { name: 'idx_task_activities_task_id' });
  await schema.addIndex('task_activities', ['user_id'], { name: 'idx_task_activities_user_id' });
  await schema.addIndex('task_activities', ['event'], { name: 'ix_task_activities_event' });
  await schema.addIndex('task_activities', ['task_id'], { name: 'ix_task_activities_task_id' });
  await schema.addIndex('task_activities', ['user_id'], { name: 'ix_task_activities_user_id' });
};
