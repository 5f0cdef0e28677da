import type { Migration } from '../src/migration/migration.ts';

export const revision = '082_add_global_integrations';
export const parents: readonly string[] = ['081_add_int_oauth_creds'];

/** Allows integrations that belong to all users instead of one. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('integrations', 'is_global', 'BOOLEAN NOT NULL DEFAULT FALSE');
  await schema.dropNotNull('integrations', 'user_id');
  await schema.addIndex('integrations', ['is_global'], { name: 'ix_integrations_is_global' });
};
