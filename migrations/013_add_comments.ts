import type { Migration } from '../src/migration/migration.ts';

export const revision = '013';
export const parents: readonly string[] = ['012'];

/** Creates comments on projects and tasks. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('comments', {
    id: 'SERIAL PRIMARY KEY',
    content: 'TEXT NOT NULL',
    project_id: 'INTEGER REFERENCES projects(id)',
    task_id: 'INTEGER REFERENCES tasks(id)',
    user_id: 'INTEGER NOT NULL REFERENCES users(id)',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
    parent_id: 'INTEGER REFERENCES comments(id)',
  });
  await schema.addIndex('comments', ['created_at'], { name: 'ix_comments_created_at' });
  await schema.addIndex('comments', ['parent_id'], { name: 'ix_comments_parent_id' });
  await schema.addIndex('comments', ['project_id'], { name: 'ix_comments_project_id' });
  await schema.addIndex('comments', ['task_id'], { name: 'ix_comments_task_id' });
  await schema.addIndex('comments', ['user_id'], { name: 'ix_comments_user_id' });
};
