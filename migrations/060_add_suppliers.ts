import type { Migration } from '../src/migration/migration.ts';

export const revision = '060';
export const parents: readonly string[] = ['059'];

/** Creates suppliers, and the stock items that they offer. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('suppliers', {
    id: 'SERIAL PRIMARY KEY',
    code: 'VARCHAR(50) NOT NULL',
    name: 'VARCHAR(200) NOT NULL',
    description: 'TEXT',
    contact_person: 'VARCHAR(200)',
    email: 'VARCHAR(200)',
    phone: 'VARCHAR(50)',
    address: 'TEXT',
    website: 'VARCHAR(500)',
    tax_id: 'VARCHAR(100)',
    payment_terms: 'VARCHAR(100)',
    currency_code: "VARCHAR(3) NOT NULL DEFAULT 'EUR'",
    is_active: 'BOOLEAN NOT NULL DEFAULT TRUE',
    notes: 'TEXT',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
    created_by: 'INTEGER NOT NULL REFERENCES users(id)',
  });
  await schema.addIndex('suppliers', ['code'], { name: 'ix_suppliers_code', unique: true });
  await schema.addIndex('suppliers', ['created_by'], { name: 'ix_suppliers_created_by' });

  await schema.createTable(
    'supplier_stock_items',
    {
      id: 'SERIAL PRIMARY KEY',
      supplier_id: 'INTEGER NOT NULL REFERENCES suppliers(id) ON DELETE CASCADE',
      stock_item_id: 'INTEGER NOT NULL REFERENCES stock_items(id) ON DELETE CASCADE',
      supplier_sku: 'VARCHAR(100)',
      supplier_name: 'VARCHAR(200)',
      unit_cost: 'NUMERIC(10,2)',
      currency_code: "VARCHAR(3) NOT NULL DEFAULT 'EUR'",
      minimum_order_quantity: 'NUMERIC(10,2)',
      lead_time_days: 'INTEGER',
      is_preferred: 'BOOLEAN NOT NULL DEFAULT FALSE',
      is_active: 'BOOLEAN NOT NULL DEFAULT TRUE',
      notes: 'TEXT',
      created_at: 'TIMESTAMP NOT NULL',
      updated_at: 'TIMESTAMP NOT NULL',
    },
    {
      uq_supplier_stock_item: 'UNIQUE (supplier_id, stock_item_id)',
    },
  );
  await schema.addIndex('supplier_stock_items', ['stock_item_id'], { name: 'ix_supplier_stock_items_stock_item_id' });
  await schema.addIndex('supplier_stock_items', ['supplier_id'], { name: 'ix_supplier_stock_items_supplier_id' });
};
