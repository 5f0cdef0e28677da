import type { Migration } from '../src/migration/migration.ts';

export const revision = '047';
export const parents: readonly string[] = ['046'];

/** Lets users see the client portal, as one of a client. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('users', {
    client_portal_enabled: 'BOOLEAN NOT NULL DEFAULT FALSE',
    client_id: 'INTEGER',
  });
};
