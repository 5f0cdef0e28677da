import type { Migration } from '../src/migration/migration.ts';

/** Adds to quotes whether they need an approval, and on how many levels. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('quotes', {
    requires_approval: 'BOOLEAN NOT NULL DEFAULT FALSE',
    approval_level: 'INTEGER NOT NULL DEFAULT 1',
  });
};
