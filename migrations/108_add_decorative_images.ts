import type { Migration } from '../src/migration/migration.ts';

export const revision = '108_add_decorative_images';
export const parents: readonly string[] = ['107_increase_invoice_prefix_length'];

/** Creates decorative images of invoices and quotes. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('invoice_images', {
    id: 'SERIAL PRIMARY KEY',
    invoice_id: 'INTEGER NOT NULL REFERENCES invoices(id) ON DELETE CASCADE',
    filename: 'VARCHAR(255) NOT NULL',
    original_filename: 'VARCHAR(255) NOT NULL',
    file_path: 'VARCHAR(500) NOT NULL',
    file_size: 'INTEGER NOT NULL',
    mime_type: 'VARCHAR(100)',
    position_x: "NUMERIC(10,2) NOT NULL DEFAULT '0'",
    position_y: "NUMERIC(10,2) NOT NULL DEFAULT '0'",
    width: 'NUMERIC(10,2)',
    height: 'NUMERIC(10,2)',
    opacity: 'NUMERIC(3,2) NOT NULL DEFAULT 1.0',
    z_index: 'INTEGER NOT NULL DEFAULT 0',
    uploaded_by: 'INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE',
    uploaded_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('invoice_images', ['invoice_id'], { name: 'ix_invoice_images_invoice_id' });
  await schema.addIndex('invoice_images', ['uploaded_by'], { name: 'ix_invoice_images_uploaded_by' });

  await schema.createTable('quote_images', {
    id: 'SERIAL PRIMARY KEY',
    quote_id: 'INTEGER NOT NULL REFERENCES quotes(id) ON DELETE CASCADE',
    filename: 'VARCHAR(255) NOT NULL',
    original_filename: 'VARCHAR(255) NOT NULL',
    file_path: 'VARCHAR(500) NOT NULL',
    file_size: 'INTEGER NOT NULL',
    mime_type: 'VARCHAR(100)',
    position_x: "NUMERIC(10,2) NOT NULL DEFAULT '0'",
    position_y: "NUMERIC(10,2) NOT NULL DEFAULT '0'",
    width: 'NUMERIC(10,2)',
    height: 'NUMERIC(10,2)',
    opacity: 'NUMERIC(3,2) NOT NULL DEFAULT 1.0',
    z_index: 'INTEGER NOT NULL DEFAULT 0',
    uploaded_by: 'INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE',
    uploaded_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('quote_images', ['quote_id'], { name: 'ix_quote_images_quote_id' });
  await schema.addIndex('quote_images', ['uploaded_by'], { name: 'ix_quote_images_uploaded_by' });
};
