import type { Migration } from '../src/migration/migration.ts';

export const revision = '015';
export const parents: readonly string[] = ['014'];

/** Adds e-mail and the OpenID Connect identity to users. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('users', {
    email: 'VARCHAR(200)',
    oidc_sub: 'VARCHAR(255)',
    oidc_issuer: 'VARCHAR(255)',
  });
  await schema.addConstraint('users', 'uq_users_oidc_issuer_sub', 'UNIQUE (oidc_issuer, oidc_sub)');
  await schema.addIndex('users', ['email'], { name: 'ix_users_email' });
};
