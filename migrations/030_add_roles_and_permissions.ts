import type { Migration } from '../src/migration/migration.ts';
import type { Schema } from '../src/migration/schema-builder/schema.ts';

export const revision = '030';
export const parents: readonly string[] = ['029'];

/** The roles, in the order of their ids in a new database. */
const roles = [
  ['super_admin', 'Super Administrator with full system access'],
  ['admin', 'Administrator with most privileges'],
  ['manager', 'Team Manager with oversight capabilities'],
  ['user', 'Standard User'],
  ['viewer', 'Read-only User'],
] as const;

type Role = (typeof roles)[number][0];

/** The permissions, in the order of their ids: category, name, description, and the lower roles that have it. */
const permissions: readonly (readonly [string, string, string, readonly Role[]])[] = [
  ['time_entries', 'view_own_time_entries', 'View own time entries', ['user', 'viewer']],
  ['time_entries', 'view_all_time_entries', 'View all time entries from all users', ['manager']],
  ['time_entries', 'create_time_entries', 'Create time entries', ['manager', 'user']],
  ['time_entries', 'edit_own_time_entries', 'Edit own time entries', ['manager', 'user']],
  ['time_entries', 'edit_all_time_entries', 'Edit time entries from all users', []],
  ['time_entries', 'delete_own_time_entries', 'Delete own time entries', ['manager', 'user']],
  ['time_entries', 'delete_all_time_entries', 'Delete time entries from all users', []],
  ['projects', 'view_projects', 'View projects', ['manager', 'user', 'viewer']],
  ['projects', 'create_projects', 'Create new projects', ['manager']],
  ['projects', 'edit_projects', 'Edit project details', ['manager']],
  ['projects', 'delete_projects', 'Delete projects', []],
  ['projects', 'archive_projects', 'Archive/unarchive projects', []],
  ['projects', 'manage_project_costs', 'Manage project costs and budgets', ['manager']],
  ['tasks', 'view_own_tasks', 'View own tasks', ['user', 'viewer']],
  ['tasks', 'view_all_tasks', 'View all tasks', ['manager']],
  ['tasks', 'create_tasks', 'Create tasks', ['manager', 'user']],
  ['tasks', 'edit_own_tasks', 'Edit own tasks', ['user']],
  ['tasks', 'edit_all_tasks', 'Edit all tasks', ['manager']],
  ['tasks', 'delete_own_tasks', 'Delete own tasks', ['user']],
  ['tasks', 'delete_all_tasks', 'Delete all tasks', []],
  ['tasks', 'assign_tasks', 'Assign tasks to users', ['manager']],
  ['clients', 'view_clients', 'View clients', ['manager', 'user', 'viewer']],
  ['clients', 'create_clients', 'Create new clients', ['manager']],
  ['clients', 'edit_clients', 'Edit client details', ['manager']],
  ['clients', 'delete_clients', 'Delete clients', []],
  ['clients', 'manage_client_notes', 'Manage client notes', ['manager']],
  ['invoices', 'view_own_invoices', 'View own invoices', ['user', 'viewer']],
  ['invoices', 'view_all_invoices', 'View all invoices', ['manager']],
  ['invoices', 'create_invoices', 'Create invoices', ['manager']],
  ['invoices', 'edit_invoices', 'Edit invoices', ['manager']],
  ['invoices', 'delete_invoices', 'Delete invoices', []],
  ['invoices', 'send_invoices', 'Send invoices to clients', ['manager']],
  ['invoices', 'manage_payments', 'Manage invoice payments', []],
  ['reports', 'view_own_reports', 'View own reports', ['user', 'viewer']],
  ['reports', 'view_all_reports', 'View reports for all users', ['manager']],
  ['reports', 'export_reports', 'Export reports to CSV/PDF', ['manager', 'user']],
  ['reports', 'create_saved_reports', 'Create and save custom reports', ['manager']],
  ['users', 'view_users', 'View users list', ['manager']],
  ['users', 'create_users', 'Create new users', []],
  ['users', 'edit_users', 'Edit user details', []],
  ['users', 'delete_users', 'Delete users', []],
  ['users', 'manage_user_roles', 'Assign roles to users', []],
  ['system', 'manage_settings', 'Manage system settings', []],
  ['system', 'view_system_info', 'View system information', []],
  ['system', 'manage_backups', 'Create and restore backups', []],
  ['system', 'manage_telemetry', 'Manage telemetry settings', []],
  ['system', 'view_audit_logs', 'View audit logs', []],
  ['administration', 'manage_roles', 'Create, edit, and delete roles', []],
  ['administration', 'manage_permissions', 'Assign permissions to roles', []],
  ['administration', 'view_permissions', 'View permissions and roles', []],
];

/** Creates and fills roles and permissions, and gives existing users the role with the name in `users.role`. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('permissions', {
    id: 'SERIAL PRIMARY KEY',
    name: 'VARCHAR(100) NOT NULL',
    description: 'VARCHAR(255)',
    category: 'VARCHAR(50) NOT NULL',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });
  await schema.addIndex('permissions', ['category'], { name: 'idx_permissions_category' });
  await schema.addIndex('permissions', ['name'], { name: 'idx_permissions_name', unique: true });

  await schema.createTable('roles', {
    id: 'SERIAL PRIMARY KEY',
    name: 'VARCHAR(50) NOT NULL',
    description: 'VARCHAR(255)',
    is_system_role: 'BOOLEAN NOT NULL DEFAULT FALSE',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    updated_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });
  await schema.addIndex('roles', ['name'], { name: 'idx_roles_name', unique: true });

  await schema.createTable(
    'role_permissions',
    {
      role_id: 'INTEGER NOT NULL REFERENCES roles(id) ON DELETE CASCADE',
      permission_id: 'INTEGER NOT NULL REFERENCES permissions(id) ON DELETE CASCADE',
      created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    },
    {
      role_permissions_pkey: 'PRIMARY KEY (role_id, permission_id)',
    },
  );

  await schema.createTable(
    'user_roles',
    {
      user_id: 'INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE',
      role_id: 'INTEGER NOT NULL REFERENCES roles(id) ON DELETE CASCADE',
      assigned_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    },
    {
      user_roles_pkey: 'PRIMARY KEY (user_id, role_id)',
    },
  );
  await seed(schema);
};

/** Inserts missing rows. Grants refer to roles and permissions by name, because existing rows have other ids. */
const seed = async (schema: Schema): Promise<void> => {
  await schema.insertMissing(
    'permissions',
    [['name']],
    permissions.map(([category, name, description]) => ({ name, description, category })),
  );
  await schema.insertMissing(
    'roles',
    [['name']],
    roles.map(([name, description]) => ({ name, description, is_system_role: true })),
  );
  await schema.run(`
    INSERT INTO role_permissions (role_id, permission_id, created_at)
    SELECT roles.id, permissions.id, CURRENT_TIMESTAMP FROM roles CROSS JOIN permissions
    WHERE (${roles.map(([role]) => `roles.name = '${role}' AND permissions.name IN (${granted(role)})`).join(' OR ')})
      AND NOT EXISTS (
        SELECT 1 FROM role_permissions WHERE role_id = roles.id AND permission_id = permissions.id
      )
    ORDER BY roles.id, permissions.id;
    INSERT INTO user_roles (user_id, role_id, assigned_at)
    SELECT users.id, roles.id, CURRENT_TIMESTAMP FROM users JOIN roles ON roles.name = users.role
    WHERE users.role IN ('admin', 'user') AND NOT EXISTS (SELECT 1 FROM user_roles WHERE user_id = users.id)`);
};

/** The permissions of a role, as a list in SQL. */
const granted = (role: Role): string =>
  permissions
    .filter((permission) => isGranted(role, permission))
    .map(([, name]) => `'${name}'`)
    .join(', ');

/** A super administrator has all permissions, an administrator all except those to manage roles and permissions. */
const isGranted = (role: Role, [category, , , lesserRoles]: (typeof permissions)[number]): boolean =>
  role === 'super_admin' || (role === 'admin' ? category !== 'administration' : lesserRoles.includes(role));
