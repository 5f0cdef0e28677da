import type { Migration } from '../src/migration/migration.ts';
import type { Schema } from '../src/migration/schema-builder/schema.ts';

export const revision = '051';
export const parents: readonly string[] = ['050'];

/**
 * Renames offers to quotes, with the links to them, and gives quotes lines and PDF templates.
 *
 * The column `offer_number` keeps its name until 103; the primary key and the sequence keep their old names for ever.
 */
export const up: Migration = async ({ context: schema }) => {
  await refuseToChoose(schema);
  for (const column of ['client_id', 'offer_number', 'project_id', 'status']) {
    await schema.dropIndex(`ix_offers_${column}`);
  }
  if (await schema.renameTable('offers', 'quotes')) await renameForeignKeys(schema);

  await schema.createTable('quote_items', {
    id: 'SERIAL PRIMARY KEY',
    quote_id: 'INTEGER NOT NULL REFERENCES quotes(id) ON DELETE CASCADE',
    description: 'VARCHAR(500) NOT NULL',
    quantity: "NUMERIC(10,2) NOT NULL DEFAULT '1'",
    unit_price: 'NUMERIC(10,2) NOT NULL',
    total_amount: 'NUMERIC(10,2) NOT NULL',
    unit: 'VARCHAR(20)',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });
  await schema.addIndex('quote_items', ['quote_id'], { name: 'ix_quote_items_quote_id' });

  await schema.createTable('quote_pdf_templates', {
    id: 'SERIAL PRIMARY KEY',
    page_size: 'VARCHAR(20) NOT NULL UNIQUE',
    template_html: 'TEXT',
    template_css: 'TEXT',
    design_json: 'TEXT',
    is_default: 'BOOLEAN NOT NULL DEFAULT FALSE',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    updated_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });

  for (const table of ['projects', 'invoices']) await renameLink(schema, table);
};

/** If both tables exist, it is unknown which quotes are valid, unless the old table is empty. */
const refuseToChoose = async (schema: Schema): Promise<void> => {
  if (!schema.hasTable('offers') || !schema.hasTable('quotes')) return;
  const offers = await schema.query('SELECT 1 FROM offers LIMIT 1');
  if (offers.length > 0) throw new Error('There is a table quotes already, and offers has rows.');
};

const renameForeignKeys = async (schema: Schema): Promise<void> => {
  // On SQLite the application keeps the old and the new foreign keys until 056, which replaces them.
  if (schema.engine === 'sqlite') return;
  const references = {
    client_id: 'clients(id) ON DELETE CASCADE',
    project_id: 'projects(id) ON DELETE SET NULL',
    created_by: 'users(id) ON DELETE CASCADE',
    accepted_by: 'users(id) ON DELETE SET NULL',
  };
  for (const [column, reference] of Object.entries(references)) {
    await schema.dropForeignKeys('quotes', column);
    await schema.addConstraint('quotes', `fk_quotes_${column}`, `FOREIGN KEY (${column}) REFERENCES ${reference}`);
  }
};

const renameLink = async (schema: Schema, table: string): Promise<void> => {
  // Releases up to 4.5.0 created a foreign key and an index for the link.
  await schema.dropForeignKeys(table, 'offer_id');
  await schema.dropIndex(`ix_${table}_offer_id`);
  await schema.renameColumn(table, 'offer_id', 'quote_id');
  // The application's SQLite databases have neither.
  if (schema.engine === 'sqlite') return;
  const reference = 'FOREIGN KEY (quote_id) REFERENCES quotes(id) ON DELETE SET NULL';
  await schema.addConstraint(table, `fk_${table}_quote_id`, reference);
  await schema.addIndex(table, ['quote_id'], { name: `ix_${table}_quote_id` });
};
