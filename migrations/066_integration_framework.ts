import type { Migration } from '../src/migration/migration.ts';

export const revision = '066_integration_framework';
export const parents: readonly string[] = ['065'];

/** Creates integrations with other services, their credentials and their events. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('integrations', {
    id: 'SERIAL PRIMARY KEY',
    name: 'VARCHAR(100) NOT NULL',
    provider: 'VARCHAR(50) NOT NULL',
    user_id: 'INTEGER NOT NULL REFERENCES users(id)',
    is_active: 'BOOLEAN NOT NULL',
    config: 'JSON',
    last_sync_at: 'TIMESTAMP',
    last_sync_status: 'VARCHAR(20)',
    last_error: 'TEXT',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('integrations', ['provider'], { name: 'ix_integrations_provider' });
  await schema.addIndex('integrations', ['user_id'], { name: 'ix_integrations_user_id' });

  await schema.createTable('integration_credentials', {
    id: 'SERIAL PRIMARY KEY',
    integration_id: 'INTEGER NOT NULL REFERENCES integrations(id) ON DELETE CASCADE',
    access_token: 'TEXT',
    refresh_token: 'TEXT',
    token_type: 'VARCHAR(20) NOT NULL',
    expires_at: 'TIMESTAMP',
    scope: 'VARCHAR(500)',
    extra_data: 'JSON',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('integration_credentials', ['integration_id'], {
    name: 'ix_integration_credentials_integration_id',
  });

  await schema.createTable('integration_events', {
    id: 'SERIAL PRIMARY KEY',
    integration_id: 'INTEGER NOT NULL REFERENCES integrations(id) ON DELETE CASCADE',
    event_type: 'VARCHAR(50) NOT NULL',
    status: 'VARCHAR(20) NOT NULL',
    message: 'TEXT',
    event_metadata: 'JSON',
    created_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('integration_events', ['created_at'], { name: 'ix_integration_events_created_at' });
  await schema.addIndex('integration_events', ['integration_id'], { name: 'ix_integration_events_integration_id' });
};
