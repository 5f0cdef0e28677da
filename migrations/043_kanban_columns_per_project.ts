import type { Migration } from '../src/migration/migration.ts';

export const revision = '043';
export const parents: readonly string[] = ['042_client_prepaid_hours'];

/**
 * Allows kanban columns per project: a key is unique within a project.
 *
 * Not on SQLite: there the application's databases keep the constraint that a key is unique in the whole table.
 */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('kanban_columns', 'project_id', 'INTEGER');
  await schema.addIndex('kanban_columns', ['project_id'], { name: 'idx_kanban_columns_project_id' });
  const onDelete = schema.engine === 'postgresql' ? 'ON DELETE CASCADE' : '';
  await schema.addConstraint(
    'kanban_columns',
    'fk_kanban_columns_project_id',
    `FOREIGN KEY (project_id) REFERENCES projects(id) ${onDelete}`,
  );
  if (schema.engine === 'sqlite') return;
  await schema.dropConstraint('kanban_columns', 'kanban_columns_key_key');
  await schema.dropConstraint('kanban_columns', 'uq_kanban_columns_key');
  await schema.addConstraint('kanban_columns', 'uq_kanban_column_key_project', 'UNIQUE (key, project_id)');
};
