import type { Migration } from '../src/migration/migration.ts';

export const revision = '061';
export const parents: readonly string[] = ['060'];

/** Creates purchase orders and their lines. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('purchase_orders', {
    id: 'SERIAL PRIMARY KEY',
    po_number: 'VARCHAR(50) NOT NULL',
    supplier_id: 'INTEGER NOT NULL REFERENCES suppliers(id)',
    status: "VARCHAR(20) NOT NULL DEFAULT 'draft'",
    order_date: 'DATE NOT NULL',
    expected_delivery_date: 'DATE',
    received_date: 'DATE',
    subtotal: "NUMERIC(10,2) NOT NULL DEFAULT '0'",
    tax_amount: "NUMERIC(10,2) NOT NULL DEFAULT '0'",
    shipping_cost: "NUMERIC(10,2) NOT NULL DEFAULT '0'",
    total_amount: "NUMERIC(10,2) NOT NULL DEFAULT '0'",
    currency_code: "VARCHAR(3) NOT NULL DEFAULT 'EUR'",
    notes: 'TEXT',
    internal_notes: 'TEXT',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
    created_by: 'INTEGER NOT NULL REFERENCES users(id)',
  });
  await schema.addIndex('purchase_orders', ['created_by'], { name: 'ix_purchase_orders_created_by' });
  await schema.addIndex('purchase_orders', ['order_date'], { name: 'ix_purchase_orders_order_date' });
  await schema.addIndex('purchase_orders', ['po_number'], { name: 'ix_purchase_orders_po_number', unique: true });
  await schema.addIndex('purchase_orders', ['status'], { name: 'ix_purchase_orders_status' });
  await schema.addIndex('purchase_orders', ['supplier_id'], { name: 'ix_purchase_orders_supplier_id' });

  await schema.createTable('purchase_order_items', {
    id: 'SERIAL PRIMARY KEY',
    purchase_order_id: 'INTEGER NOT NULL REFERENCES purchase_orders(id) ON DELETE CASCADE',
    stock_item_id: 'INTEGER REFERENCES stock_items(id)',
    supplier_stock_item_id: 'INTEGER REFERENCES supplier_stock_items(id)',
    description: 'VARCHAR(500) NOT NULL',
    supplier_sku: 'VARCHAR(100)',
    quantity_ordered: 'NUMERIC(10,2) NOT NULL',
    quantity_received: "NUMERIC(10,2) NOT NULL DEFAULT '0'",
    unit_cost: 'NUMERIC(10,2) NOT NULL',
    line_total: 'NUMERIC(10,2) NOT NULL',
    currency_code: "VARCHAR(3) NOT NULL DEFAULT 'EUR'",
    warehouse_id: 'INTEGER REFERENCES warehouses(id)',
    notes: 'TEXT',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('purchase_order_items', ['purchase_order_id'], {
    name: 'ix_purchase_order_items_purchase_order_id',
  });
  await schema.addIndex('purchase_order_items', ['stock_item_id'], { name: 'ix_purchase_order_items_stock_item_id' });
  await schema.addIndex('purchase_order_items', ['supplier_stock_item_id'], {
    name: 'ix_purchase_order_items_supplier_stock_item_id',
  });
  await schema.addIndex('purchase_order_items', ['warehouse_id'], { name: 'ix_purchase_order_items_warehouse_id' });
};
