import type { Migration } from '../src/migration/migration.ts';

export const revision = '198_add_oauth_applications';
export const parents: readonly string[] = ['197_phase4_gdpr_and_governance'];

/** Creates OAuth applications, and their authorization codes. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('oauth_applications', {
    id: 'SERIAL PRIMARY KEY',
    client_id: 'VARCHAR(64) NOT NULL',
    client_secret_hash: 'VARCHAR(128)',
    name: 'VARCHAR(200) NOT NULL',
    description: 'TEXT',
    owner_user_id: 'INTEGER NOT NULL REFERENCES users(id)',
    redirect_uris: 'JSON NOT NULL',
    allowed_scopes: "TEXT NOT NULL DEFAULT ''",
    grant_types: 'JSON NOT NULL',
    is_confidential: 'BOOLEAN NOT NULL DEFAULT TRUE',
    is_active: 'BOOLEAN NOT NULL DEFAULT TRUE',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('oauth_applications', ['client_id'], { name: 'ix_oauth_applications_client_id', unique: true });
  await schema.addIndex('oauth_applications', ['owner_user_id'], { name: 'ix_oauth_applications_owner_user_id' });

  await schema.createTable('oauth_authorization_codes', {
    id: 'SERIAL PRIMARY KEY',
    code_hash: 'VARCHAR(128) NOT NULL',
    application_id: 'INTEGER NOT NULL REFERENCES oauth_applications(id)',
    user_id: 'INTEGER NOT NULL REFERENCES users(id)',
    redirect_uri: 'VARCHAR(500) NOT NULL',
    scope: "TEXT NOT NULL DEFAULT ''",
    code_challenge: 'VARCHAR(128)',
    code_challenge_method: 'VARCHAR(10)',
    expires_at: 'TIMESTAMP NOT NULL',
    used_at: 'TIMESTAMP',
    created_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('oauth_authorization_codes', ['application_id'], {
    name: 'ix_oauth_authorization_codes_application_id',
  });
  await schema.addIndex('oauth_authorization_codes', ['code_hash'], {
    name: 'ix_oauth_authorization_codes_code_hash',
    unique: true,
  });
  await schema.addIndex('oauth_authorization_codes', ['user_id'], { name: 'ix_oauth_authorization_codes_user_id' });
};
