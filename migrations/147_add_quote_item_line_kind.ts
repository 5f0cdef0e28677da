import type { Migration } from '../src/migration/migration.ts';

export const revision = '147_add_quote_item_line_kind';
export const parents: readonly string[] = ['146_add_quote_item_position'];

/** Adds the kind to the lines of quotes, and the columns for expenses and goods. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('quote_items', {
    line_kind: "VARCHAR(20) NOT NULL DEFAULT 'item'",
    display_name: 'VARCHAR(200)',
    category: 'VARCHAR(50)',
    line_date: 'DATE',
    sku: 'VARCHAR(100)',
  });
  if (schema.hasTable('quote_items')) {
    await schema.run("UPDATE quote_items SET line_kind = 'item' WHERE line_kind IS NULL OR line_kind = ''");
  }
};
