import type { Migration } from '../src/migration/migration.ts';

export const revision = '146_add_quote_item_position';
export const parents: readonly string[] = ['145_add_quotes_requires_approval'];

/** Numbers the lines of each quote from 0, in the order in which they were created. */
export const up: Migration = async ({ context: schema }) => {
  const added = await schema.addColumn('quote_items', 'position', 'INTEGER NOT NULL DEFAULT 0');
  // If the column exists already, somebody may have chosen its order.
  if (!added) return;
  await schema.run(`
    UPDATE quote_items SET position = numbered.place
    FROM (SELECT id, row_number() OVER (PARTITION BY quote_id ORDER BY id) - 1 AS place FROM quote_items) AS numbered
    WHERE numbered.id = quote_items.id`);
};
