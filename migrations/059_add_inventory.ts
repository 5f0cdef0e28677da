import type { Migration } from '../src/migration/migration.ts';

export const revision = '059';
export const parents: readonly string[] = ['058'];

/** Creates the inventory: stock items, warehouses and movements; links goods and lines of quotes and invoices to it. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('stock_items', {
    id: 'SERIAL PRIMARY KEY',
    sku: 'VARCHAR(100) NOT NULL',
    name: 'VARCHAR(200) NOT NULL',
    description: 'TEXT',
    category: 'VARCHAR(100)',
    unit: "VARCHAR(20) NOT NULL DEFAULT 'pcs'",
    default_cost: 'NUMERIC(10,2)',
    default_price: 'NUMERIC(10,2)',
    currency_code: "VARCHAR(3) NOT NULL DEFAULT 'EUR'",
    barcode: 'VARCHAR(100)',
    is_active: 'BOOLEAN NOT NULL DEFAULT TRUE',
    is_trackable: 'BOOLEAN NOT NULL DEFAULT TRUE',
    reorder_point: 'NUMERIC(10,2)',
    reorder_quantity: 'NUMERIC(10,2)',
    supplier: 'VARCHAR(200)',
    supplier_sku: 'VARCHAR(100)',
    image_url: 'VARCHAR(500)',
    notes: 'TEXT',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
    created_by: 'INTEGER NOT NULL REFERENCES users(id)',
  });
  await schema.addIndex('stock_items', ['barcode'], { name: 'ix_stock_items_barcode' });
  await schema.addIndex('stock_items', ['category'], { name: 'ix_stock_items_category' });
  await schema.addIndex('stock_items', ['created_by'], { name: 'ix_stock_items_created_by' });
  await schema.addIndex('stock_items', ['sku'], { name: 'ix_stock_items_sku', unique: true });

  await schema.createTable('warehouses', {
    id: 'SERIAL PRIMARY KEY',
    name: 'VARCHAR(200) NOT NULL',
    code: 'VARCHAR(50) NOT NULL',
    address: 'TEXT',
    contact_person: 'VARCHAR(200)',
    contact_email: 'VARCHAR(200)',
    contact_phone: 'VARCHAR(50)',
    is_active: 'BOOLEAN NOT NULL DEFAULT TRUE',
    notes: 'TEXT',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
    created_by: 'INTEGER NOT NULL REFERENCES users(id)',
  });
  await schema.addIndex('warehouses', ['code'], { name: 'ix_warehouses_code', unique: true });
  await schema.addIndex('warehouses', ['created_by'], { name: 'ix_warehouses_created_by' });

  await schema.createTable('project_stock_allocations', {
    id: 'SERIAL PRIMARY KEY',
    project_id: 'INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE',
    stock_item_id: 'INTEGER NOT NULL REFERENCES stock_items(id) ON DELETE CASCADE',
    warehouse_id: 'INTEGER NOT NULL REFERENCES warehouses(id)',
    quantity_allocated: 'NUMERIC(10,2) NOT NULL',
    quantity_used: "NUMERIC(10,2) NOT NULL DEFAULT '0'",
    allocated_by: 'INTEGER NOT NULL REFERENCES users(id)',
    allocated_at: 'TIMESTAMP NOT NULL',
    notes: 'TEXT',
  });
  await schema.addIndex('project_stock_allocations', ['allocated_by'], {
    name: 'ix_project_stock_allocations_allocated_by',
  });
  await schema.addIndex('project_stock_allocations', ['project_id'], {
    name: 'ix_project_stock_allocations_project_id',
  });
  await schema.addIndex('project_stock_allocations', ['stock_item_id'], {
    name: 'ix_project_stock_allocations_stock_item_id',
  });
  await schema.addIndex('project_stock_allocations', ['warehouse_id'], {
    name: 'ix_project_stock_allocations_warehouse_id',
  });

  await schema.createTable('stock_movements', {
    id: 'SERIAL PRIMARY KEY',
    movement_type: 'VARCHAR(20) NOT NULL',
    stock_item_id: 'INTEGER NOT NULL REFERENCES stock_items(id)',
    warehouse_id: 'INTEGER NOT NULL REFERENCES warehouses(id)',
    quantity: 'NUMERIC(10,2) NOT NULL',
    reference_type: 'VARCHAR(50)',
    reference_id: 'INTEGER',
    unit_cost: 'NUMERIC(10,2)',
    reason: 'VARCHAR(500)',
    notes: 'TEXT',
    moved_by: 'INTEGER NOT NULL REFERENCES users(id)',
    moved_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('stock_movements', ['stock_item_id', 'moved_at'], { name: 'ix_stock_movements_item_date' });
  await schema.addIndex('stock_movements', ['moved_at'], { name: 'ix_stock_movements_moved_at' });
  await schema.addIndex('stock_movements', ['moved_by'], { name: 'ix_stock_movements_moved_by' });
  await schema.addIndex('stock_movements', ['movement_type'], { name: 'ix_stock_movements_movement_type' });
  await schema.addIndex('stock_movements', ['reference_type', 'reference_id'], {
    name: 'ix_stock_movements_reference',
  });
  await schema.addIndex('stock_movements', ['reference_id'], { name: 'ix_stock_movements_reference_id' });
  await schema.addIndex('stock_movements', ['reference_type'], { name: 'ix_stock_movements_reference_type' });
  await schema.addIndex('stock_movements', ['stock_item_id'], { name: 'ix_stock_movements_stock_item_id' });
  await schema.addIndex('stock_movements', ['warehouse_id'], { name: 'ix_stock_movements_warehouse_id' });

  await schema.createTable('stock_reservations', {
    id: 'SERIAL PRIMARY KEY',
    stock_item_id: 'INTEGER NOT NULL REFERENCES stock_items(id)',
    warehouse_id: 'INTEGER NOT NULL REFERENCES warehouses(id)',
    quantity: 'NUMERIC(10,2) NOT NULL',
    reservation_type: 'VARCHAR(20) NOT NULL',
    reservation_id: 'INTEGER NOT NULL',
    status: "VARCHAR(20) NOT NULL DEFAULT 'reserved'",
    expires_at: 'TIMESTAMP',
    reserved_by: 'INTEGER NOT NULL REFERENCES users(id)',
    reserved_at: 'TIMESTAMP NOT NULL',
    fulfilled_at: 'TIMESTAMP',
    cancelled_at: 'TIMESTAMP',
    notes: 'TEXT',
  });
  await schema.addIndex('stock_reservations', ['expires_at'], { name: 'ix_stock_reservations_expires_at' });
  await schema.addIndex('stock_reservations', ['reservation_type', 'reservation_id'], {
    name: 'ix_stock_reservations_reservation',
  });
  await schema.addIndex('stock_reservations', ['reservation_id'], { name: 'ix_stock_reservations_reservation_id' });
  await schema.addIndex('stock_reservations', ['reservation_type'], { name: 'ix_stock_reservations_reservation_type' });
  await schema.addIndex('stock_reservations', ['reserved_by'], { name: 'ix_stock_reservations_reserved_by' });
  await schema.addIndex('stock_reservations', ['stock_item_id'], { name: 'ix_stock_reservations_stock_item_id' });
  await schema.addIndex('stock_reservations', ['warehouse_id'], { name: 'ix_stock_reservations_warehouse_id' });

  await schema.createTable(
    'warehouse_stock',
    {
      id: 'SERIAL PRIMARY KEY',
      warehouse_id: 'INTEGER NOT NULL REFERENCES warehouses(id) ON DELETE CASCADE',
      stock_item_id: 'INTEGER NOT NULL REFERENCES stock_items(id) ON DELETE CASCADE',
      quantity_on_hand: "NUMERIC(10,2) NOT NULL DEFAULT '0'",
      quantity_reserved: "NUMERIC(10,2) NOT NULL DEFAULT '0'",
      location: 'VARCHAR(100)',
      last_counted_at: 'TIMESTAMP',
      last_counted_by: 'INTEGER REFERENCES users(id)',
      created_at: 'TIMESTAMP NOT NULL',
      updated_at: 'TIMESTAMP NOT NULL',
    },
    {
      uq_warehouse_stock: 'UNIQUE (warehouse_id, stock_item_id)',
    },
  );
  await schema.addIndex('warehouse_stock', ['stock_item_id'], { name: 'ix_warehouse_stock_stock_item_id' });
  await schema.addIndex('warehouse_stock', ['warehouse_id'], { name: 'ix_warehouse_stock_warehouse_id' });
  await schema.addColumn('extra_goods', 'stock_item_id', 'INTEGER');
  await schema.addColumns('invoice_items', {
    stock_item_id: 'INTEGER',
    warehouse_id: 'INTEGER',
    is_stock_item: 'BOOLEAN NOT NULL DEFAULT FALSE',
  });
  await schema.addColumns('quote_items', {
    stock_item_id: 'INTEGER',
    warehouse_id: 'INTEGER',
    is_stock_item: 'BOOLEAN NOT NULL DEFAULT FALSE',
  });
};
