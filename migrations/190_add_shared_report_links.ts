import type { Migration } from '../src/migration/migration.ts';

export const revision = '190_add_shared_report_links';
export const parents: readonly string[] = ['189_add_recurring_project_costs'];

/** Creates links to shared reports. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('shared_report_links', {
    id: 'SERIAL PRIMARY KEY',
    token: 'VARCHAR(36) NOT NULL',
    saved_view_id: 'INTEGER NOT NULL REFERENCES saved_report_views(id) ON DELETE CASCADE',
    report_name: 'VARCHAR(120)',
    report_config_snapshot: 'TEXT NOT NULL',
    created_by_id: 'INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE',
    expires_at: 'TIMESTAMP',
    password_hash: 'VARCHAR(255)',
    view_count: 'INTEGER NOT NULL DEFAULT 0',
    last_accessed_at: 'TIMESTAMP',
    is_active: 'BOOLEAN NOT NULL DEFAULT TRUE',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    updated_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });
  await schema.addIndex('shared_report_links', ['created_by_id'], { name: 'ix_shared_report_links_created_by_id' });
  await schema.addIndex('shared_report_links', ['expires_at'], { name: 'ix_shared_report_links_expires_at' });
  await schema.addIndex('shared_report_links', ['is_active'], { name: 'ix_shared_report_links_is_active' });
  await schema.addIndex('shared_report_links', ['saved_view_id'], { name: 'ix_shared_report_links_saved_view_id' });
  await schema.addIndex('shared_report_links', ['token'], { name: 'ix_shared_report_links_token', unique: true });
};
