import type { Migration } from '../src/migration/migration.ts';

export const revision = '145_add_quotes_requires_approval';
export const parents: readonly string[] = ['144_api_idempotency_keys'];

/** Adds to quotes whether they need an approval, and its number of levels. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('quotes', {
    requires_approval: 'BOOLEAN NOT NULL DEFAULT FALSE',
    approval_level: 'INTEGER NOT NULL DEFAULT 1',
  });
};
