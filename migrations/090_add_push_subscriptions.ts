import type { Migration } from '../src/migration/migration.ts';

export const revision = '090_add_push_subscriptions';
export const parents: readonly string[] = ['089_allow_auto_entries_no_project'];

/** Creates the browsers' subscriptions to push notifications. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('push_subscriptions', {
    id: 'SERIAL PRIMARY KEY',
    user_id: 'INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE',
    endpoint: 'TEXT NOT NULL',
    keys: 'JSON NOT NULL',
    user_agent: 'VARCHAR(500)',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
    last_used_at: 'TIMESTAMP',
  });
  await schema.addIndex('push_subscriptions', ['user_id'], { name: 'ix_push_subscriptions_user_id' });
};
