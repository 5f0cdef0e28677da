import type { Migration } from '../src/migration/migration.ts';

/** Makes room for longer invoice prefixes. */
export const up: Migration = async ({ context: schema }) => {
  await schema.setType('settings', 'invoice_prefix', 'VARCHAR(50)');
};
