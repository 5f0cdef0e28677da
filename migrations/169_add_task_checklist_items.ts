import type { Migration } from '../src/migration/migration.ts';

export const revision = '169_add_task_checklist_items';
export const parents: readonly string[] = ['166_add_slack_user_id'];

/** Creates checklists of tasks. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('task_checklist_items', {
    id: 'SERIAL PRIMARY KEY',
    task_id: 'INTEGER NOT NULL REFERENCES tasks(id) ON DELETE CASCADE',
    text: 'VARCHAR(500) NOT NULL',
    is_done: 'BOOLEAN NOT NULL DEFAULT FALSE',
    position: 'INTEGER NOT NULL DEFAULT 0',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('task_checklist_items', ['position'], { name: 'ix_task_checklist_items_position' });
  await schema.addIndex('task_checklist_items', ['task_id'], { name: 'ix_task_checklist_items_task_id' });
};
