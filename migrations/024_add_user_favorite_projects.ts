import type { Migration } from '../src/migration/migration.ts';

export const revision = '024';
export const parents: readonly string[] = ['023'];

/** Creates user_favorite_projects. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable(
    'user_favorite_projects',
    {
      id: 'SERIAL PRIMARY KEY',
      user_id: 'INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE',
      project_id: 'INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE',
      created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    },
    {
      uq_user_project_favorite: 'UNIQUE (user_id, project_id)',
    },
  );
  await schema.addIndex('user_favorite_projects', ['project_id'], { name: 'ix_user_favorite_projects_project_id' });
  await schema.addIndex('user_favorite_projects', ['user_id'], { name: 'ix_user_favorite_projects_user_id' });
};
