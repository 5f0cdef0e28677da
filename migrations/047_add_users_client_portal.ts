import type { Migration } from '../src/migration/migration.ts';

/** Lets users see the client portal, as one of a client. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('users', {
    client_portal_enabled: 'BOOLEAN NOT NULL DEFAULT FALSE',
    client_id: 'INTEGER',
  });
};
