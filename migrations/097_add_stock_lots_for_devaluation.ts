import type { Migration } from '../src/migration/migration.ts';

export const revision = '097_add_stock_lots_for_devaluation';
export const parents: readonly string[] = ['20250127_000001'];

/**
 * Creates stock lots and their allocations.
 *
 * Both stay empty: the application meant to give each stocked item its first lot here, but the step never took
 * effect, and the databases that it upgraded itself have no such lots.
 */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('stock_lots', {
    id: 'SERIAL PRIMARY KEY',
    stock_item_id: 'INTEGER NOT NULL REFERENCES stock_items(id)',
    warehouse_id: 'INTEGER NOT NULL REFERENCES warehouses(id)',
    lot_type: "VARCHAR(20) NOT NULL DEFAULT 'normal'",
    unit_cost: "NUMERIC(10,2) NOT NULL DEFAULT '0'",
    quantity_on_hand: "NUMERIC(10,2) NOT NULL DEFAULT '0'",
    created_at: 'TIMESTAMP NOT NULL',
    created_by: 'INTEGER REFERENCES users(id)',
    source_movement_id: 'INTEGER REFERENCES stock_movements(id)',
    notes: 'TEXT',
  });

  await schema.createTable('stock_lot_allocations', {
    id: 'SERIAL PRIMARY KEY',
    stock_movement_id: 'INTEGER NOT NULL REFERENCES stock_movements(id)',
    stock_lot_id: 'INTEGER NOT NULL REFERENCES stock_lots(id)',
    quantity: 'NUMERIC(10,2) NOT NULL',
    unit_cost: 'NUMERIC(10,2) NOT NULL',
    created_at: 'TIMESTAMP NOT NULL',
  });
};
