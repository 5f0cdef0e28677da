import type { Migration } from '../src/migration/migration.ts';

export const revision = '054';
export const parents: readonly string[] = ['053'];

/** Lets quotes be commented, for the team or for the client; all comments so far are internal. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('comments', {
    quote_id: 'INTEGER',
    is_internal: 'BOOLEAN NOT NULL DEFAULT TRUE',
  });
};
