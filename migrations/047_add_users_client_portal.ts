import type { Migration } from '../src/migration/migration.ts';

export const revision = '047';
export const parents: readonly string[] = ['046'];

/** Lets users use the client portal on behalf of a client. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('users', {
    client_portal_enabled: 'BOOLEAN NOT NULL DEFAULT FALSE',
    client_id: 'INTEGER',
  });
};
