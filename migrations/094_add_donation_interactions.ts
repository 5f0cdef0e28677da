import type { Migration } from '../src/migration/migration.ts';

export const revision = '094_add_donation_interactions';
export const parents: readonly string[] = ['093_remove_ui_allow_flags'];

/** Creates donation_interactions, and adds the flag for issues to `users` if 077 did not. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('donation_interactions', {
    id: 'SERIAL PRIMARY KEY',
    user_id: 'INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE',
    interaction_type: 'VARCHAR(50) NOT NULL',
    source: 'VARCHAR(100)',
    time_entries_count: 'INTEGER',
    days_since_signup: 'INTEGER',
    total_hours: 'DOUBLE PRECISION',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });
  await schema.addIndex('donation_interactions', ['user_id'], { name: 'idx_donation_interactions_user_id' });
  await schema.addColumn('users', 'ui_show_issues', 'BOOLEAN NOT NULL DEFAULT TRUE');
};
