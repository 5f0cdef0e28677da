import type { Migration } from '../src/migration/migration.ts';

export const revision = '019';
export const parents: readonly string[] = ['018'];

/** Creates kanban_columns, with four initial columns. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('kanban_columns', {
    id: 'SERIAL PRIMARY KEY',
    key: 'VARCHAR(50) NOT NULL UNIQUE',
    label: 'VARCHAR(100) NOT NULL',
    icon: "VARCHAR(100) DEFAULT 'fas fa-circle'",
    color: "VARCHAR(50) DEFAULT 'secondary'",
    position: 'INTEGER NOT NULL DEFAULT 0',
    is_active: 'BOOLEAN NOT NULL DEFAULT TRUE',
    is_system: 'BOOLEAN NOT NULL DEFAULT FALSE',
    is_complete_state: 'BOOLEAN NOT NULL DEFAULT FALSE',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    updated_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });
  await schema.addIndex('kanban_columns', ['key'], { name: 'idx_kanban_columns_key' });
  await schema.addIndex('kanban_columns', ['position'], { name: 'idx_kanban_columns_position' });
  const looks = [
    ['todo', 'To Do', 'fas fa-list-check', 'secondary'],
    ['in_progress', 'In Progress', 'fas fa-spinner', 'warning'],
    ['review', 'Review', 'fas fa-user-check', 'info'],
    ['done', 'Done', 'fas fa-check-circle', 'success'],
  ] as const;
  // if projects have columns of their own already (043), these four belong to no project
  const perProject = schema.hasColumn('kanban_columns', 'project_id');
  await schema.insertMissing(
    'kanban_columns',
    [perProject ? ['key', 'project_id'] : ['key']],
    looks.map(([key, label, icon, color], position) => ({
      key,
      project_id: null,
      label,
      icon,
      color,
      position,
      is_system: key !== 'review',
      is_complete_state: key === 'done',
    })),
  );
};
