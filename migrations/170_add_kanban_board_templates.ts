import type { Migration } from '../src/migration/migration.ts';

export const revision = '170_add_kanban_board_templates';
export const parents: readonly string[] = ['166_add_slack_user_id'];

/** Creates templates of kanban boards. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable(
    'kanban_board_templates',
    {
      id: 'SERIAL PRIMARY KEY',
      name: 'VARCHAR(100) NOT NULL',
      description: 'VARCHAR(255)',
      columns: 'JSON NOT NULL',
      created_by: 'INTEGER REFERENCES users(id)',
      created_at: 'TIMESTAMP NOT NULL',
      updated_at: 'TIMESTAMP NOT NULL',
    },
    {
      uq_kanban_board_template_name: 'UNIQUE (name)',
    },
  );
  await schema.addIndex('kanban_board_templates', ['created_by'], { name: 'ix_kanban_board_templates_created_by' });
};
