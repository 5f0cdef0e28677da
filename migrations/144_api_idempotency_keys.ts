import type { Migration } from '../src/migration/migration.ts';

export const revision = '144_api_idempotency_keys';
export const parents: readonly string[] = ['143_add_task_custom_fields'];

/** Creates api_idempotency_keys: stored answers for API requests that may be sent twice. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable(
    'api_idempotency_keys',
    {
      id: 'SERIAL PRIMARY KEY',
      api_token_id: 'INTEGER NOT NULL REFERENCES api_tokens(id) ON DELETE CASCADE',
      scope: 'VARCHAR(128) NOT NULL',
      key_hash: 'VARCHAR(64) NOT NULL',
      response_status: 'INTEGER NOT NULL',
      response_body: 'TEXT NOT NULL',
      created_at: 'TIMESTAMP NOT NULL',
    },
    {
      uq_api_idempotency_token_scope_key: 'UNIQUE (api_token_id, scope, key_hash)',
    },
  );
  await schema.addIndex('api_idempotency_keys', ['created_at'], { name: 'ix_api_idempotency_keys_created_at' });
};
