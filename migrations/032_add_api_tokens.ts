import type { Migration } from '../src/migration/migration.ts';

export const revision = '032_add_api_tokens';
export const parents: readonly string[] = ['031'];

/** Creates api_tokens, the keys to the REST interface. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('api_tokens', {
    id: 'SERIAL PRIMARY KEY',
    name: 'VARCHAR(100) NOT NULL',
    description: 'TEXT',
    token_hash: 'VARCHAR(128) NOT NULL UNIQUE',
    token_prefix: 'VARCHAR(10) NOT NULL',
    user_id: 'INTEGER NOT NULL REFERENCES users(id)',
    scopes: 'TEXT',
    created_at: 'TIMESTAMP NOT NULL',
    expires_at: 'TIMESTAMP',
    last_used_at: 'TIMESTAMP',
    is_active: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ip_whitelist: 'TEXT',
    usage_count: 'INTEGER NOT NULL DEFAULT 0',
  });
  await schema.addIndex('api_tokens', ['token_hash'], { name: 'ix_api_tokens_token_hash', unique: true });
  await schema.addIndex('api_tokens', ['user_id'], { name: 'ix_api_tokens_user_id' });
};
