import type { Migration } from '../src/migration/migration.ts';

export const revision = '20250127_000001';
export const parents: readonly string[] = ['096_add_missing_portal_issues_enabled'];

/** Creates notifications of clients, and lets their contacts write comments. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('client_notification_preferences', {
    id: 'SERIAL PRIMARY KEY',
    client_id: 'INTEGER NOT NULL UNIQUE REFERENCES clients(id)',
    email_enabled: 'BOOLEAN NOT NULL DEFAULT TRUE',
    email_invoice_created: 'BOOLEAN NOT NULL DEFAULT TRUE',
    email_invoice_paid: 'BOOLEAN NOT NULL DEFAULT TRUE',
    email_invoice_overdue: 'BOOLEAN NOT NULL DEFAULT TRUE',
    email_project_milestone: 'BOOLEAN NOT NULL DEFAULT TRUE',
    email_budget_alert: 'BOOLEAN NOT NULL DEFAULT TRUE',
    email_time_entry_approval: 'BOOLEAN NOT NULL DEFAULT TRUE',
    email_project_status_change: 'BOOLEAN NOT NULL DEFAULT FALSE',
    email_quote_available: 'BOOLEAN NOT NULL DEFAULT TRUE',
    in_app_enabled: 'BOOLEAN NOT NULL DEFAULT TRUE',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
  });

  await schema.createTable('client_notifications', {
    id: 'SERIAL PRIMARY KEY',
    client_id: 'INTEGER NOT NULL REFERENCES clients(id)',
    type: 'VARCHAR(50) NOT NULL',
    title: 'VARCHAR(200) NOT NULL',
    message: 'TEXT NOT NULL',
    link_url: 'VARCHAR(500)',
    link_text: 'VARCHAR(100)',
    is_read: 'BOOLEAN NOT NULL DEFAULT FALSE',
    read_at: 'TIMESTAMP',
    extra_data: 'JSON',
    created_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addColumns('comments', {
    client_contact_id: 'INTEGER',
    is_client_comment: 'BOOLEAN NOT NULL DEFAULT FALSE',
  });
  await schema.dropNotNull('comments', 'user_id');
  await schema.addConstraint(
    'comments',
    'fk_comments_client_contact',
    'FOREIGN KEY (client_contact_id) REFERENCES contacts(id)',
  );
  await schema.addIndex('comments', ['client_contact_id'], { name: 'ix_comments_client_contact_id' });
};
