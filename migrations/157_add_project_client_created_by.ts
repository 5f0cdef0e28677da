import type { Migration } from '../src/migration/migration.ts';
import type { Schema } from '../src/migration/schema-builder/schema.ts';

export const revision = '157_add_project_client_created_by';
export const parents: readonly string[] = ['156_add_user_theme_columns'];

const actions = ['view', 'edit', 'delete'] as const;
const scopes = ['own', 'all'] as const;
const categories = ['projects', 'clients'] as const;

/** The permissions in the order of their ids: view_own_projects, view_all_projects, edit_own_projects, … */
const permissions = categories.flatMap((category) =>
  actions.flatMap((action) =>
    scopes.map((scope) => ({
      name: `${action}_${scope}_${category}`,
      description: `${action.charAt(0).toUpperCase()}${action.slice(1)} ${scope} ${category}`,
      category,
    })),
  ),
);

/**
 * Adds the creator to clients and projects, and separate permissions for one's own and for all of them. Existing
 * clients and projects have no creator.
 */
export const up: Migration = async ({ context: schema }) => {
  // Only PostgreSQL has the foreign key: the application could not add it on SQLite.
  const createdBy = schema.engine === 'postgresql' ? 'INTEGER REFERENCES users(id) ON DELETE SET NULL' : 'INTEGER';
  for (const table of categories) {
    await schema.addColumn(table, 'created_by', createdBy);
    await schema.addIndex(table, ['created_by'], { name: `ix_${table}_created_by` });
  }
  if (['permissions', 'roles', 'role_permissions'].every((table) => schema.hasTable(table))) {
    await schema.insertMissing('permissions', [['name']], permissions);
    await changeGrants(schema);
  }
};

/**
 * Managers and administrators get all new permissions for all clients and projects. Super administrators get none, as
 * in the application's own migration. Users and viewers now see their own clients and projects instead of all.
 */
const changeGrants = (schema: Schema): Promise<void> =>
  schema.run(`
    INSERT INTO role_permissions (role_id, permission_id, created_at)
    SELECT roles.id, permissions.id, CURRENT_TIMESTAMP FROM roles CROSS JOIN permissions
    WHERE (
        roles.name IN ('manager', 'admin') AND permissions.name IN (
          'view_all_projects', 'edit_all_projects', 'delete_all_projects',
          'view_all_clients', 'edit_all_clients', 'delete_all_clients')
        OR roles.name IN ('user', 'viewer') AND permissions.name IN ('view_own_projects', 'view_own_clients')
      ) AND NOT EXISTS (
        SELECT 1 FROM role_permissions WHERE role_id = roles.id AND permission_id = permissions.id
      );
    DELETE FROM role_permissions
    WHERE role_id IN (SELECT id FROM roles WHERE name IN ('user', 'viewer'))
      AND permission_id IN (SELECT id FROM permissions WHERE name IN ('view_projects', 'view_clients'))`);
