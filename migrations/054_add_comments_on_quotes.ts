import type { Migration } from '../src/migration/migration.ts';

export const revision = '054';
export const parents: readonly string[] = ['053'];

/** Allows comments on quotes, internal or visible to the client. Existing comments become internal. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('comments', {
    quote_id: 'INTEGER',
    is_internal: 'BOOLEAN NOT NULL DEFAULT TRUE',
  });
};
