import type { Migration } from '../src/migration/migration.ts';

export const revision = '140_client_portal_dashboard_prefs';
export const parents: readonly string[] = ['139_keyboard_shortcuts'];

const table = 'client_portal_dashboard_preferences';
const oneForEach = 'UNIQUE (client_id, user_id)';

/** Creates the preferences of clients and their users for widgets in the portal. */
export const up: Migration = async ({ context: schema }) => {
  const created = await schema.createTable(
    table,
    {
      id: 'SERIAL PRIMARY KEY',
      client_id: 'INTEGER NOT NULL REFERENCES clients(id) ON DELETE CASCADE',
      user_id: 'INTEGER REFERENCES users(id) ON DELETE CASCADE',
      widget_ids: 'JSON NOT NULL',
      widget_order: 'JSON',
      created_at: 'TIMESTAMP NOT NULL',
      updated_at: 'TIMESTAMP NOT NULL',
    },
    { uq_client_portal_dashboard_pref_client_user: oneForEach },
  );
  await schema.addIndex(table, ['client_id'], { name: 'ix_client_portal_dashboard_preferences_client_id' });
  await schema.addIndex(table, ['user_id'], { name: 'ix_client_portal_dashboard_preferences_user_id' });

  // On SQLite the application's own migration stops here: it has created the table, but not the constraint.
  if (created) return;
  const doubled = await schema.query(`
    SELECT 1 FROM ${table} WHERE user_id IS NOT NULL GROUP BY client_id, user_id HAVING count(*) > 1`);
  if (doubled.length === 0)
    await schema.addConstraint(table, 'uq_client_portal_dashboard_pref_client_user', oneForEach);
};
