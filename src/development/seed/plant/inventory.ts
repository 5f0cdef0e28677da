import { number } from '../../../database/rows.ts';
import type { SeedOptions } from '../options.ts';
import { at } from '../random.ts';
import { type Level, planStock, stockItemRows, warehouseRows } from '../rows/inventory.ts';
import type { Scene } from '../rows/scene.ts';
import { add, ensure, missingNumbers, selectWhere, type Site } from '../write.ts';

const numbered = { table: 'stock_movements', column: 'reason', like: '%(dev %', pattern: /\(dev (\d+)\)/ } as const;

/** Warehouses, items, and what has come and gone: a level is always the sum of its movements. */
export async function plantInventory(
  site: Site,
  { warehouses, stockItems, stockMovements }: SeedOptions,
  people: readonly number[],
  scene: Scene,
): Promise<void> {
  const { session } = site;
  const keeper = at(people, 0);
  const places = await ensure(site, 'warehouses', ['code'], warehouseRows(warehouses, keeper, scene));
  const items = await ensure(site, 'stock_items', ['sku'], stockItemRows(stockItems, keeper, scene));
  const levels = await levelsOf(site, places.ids, items.ids);
  if (levels.length === 0) return;
  const plan = planStock(levels, await missingNumbers(session, numbered, stockMovements), people, scene);
  await add(site, 'warehouse_stock', plan.levels);
  await add(site, 'stock_movements', plan.movements);
  for (const { warehouseId, itemId, quantity } of plan.changes) {
    await session.query(
      `UPDATE warehouse_stock SET quantity_on_hand = quantity_on_hand + $1, updated_at = $2
       WHERE warehouse_id = $3 AND stock_item_id = $4`,
      [quantity, scene.utc, warehouseId, itemId],
    );
  }
}

async function levelsOf(
  { session }: Site,
  warehouses: readonly number[],
  items: readonly number[],
): Promise<readonly Level[]> {
  const columns = ['warehouse_id', 'stock_item_id', 'quantity_on_hand'];
  const rows = await selectWhere(session, 'warehouse_stock', columns, 'warehouse_id', warehouses);
  const key = (warehouseId: number, itemId: number): string => `${warehouseId} ${itemId}`;
  const found = new Map(
    rows.map((row) => [
      key(number(row, 'warehouse_id'), number(row, 'stock_item_id')),
      Math.round(number(row, 'quantity_on_hand') * 100),
    ]),
  );
  return warehouses.flatMap((warehouseId) =>
    items.map((itemId) => ({ warehouseId, itemId, found: found.get(key(warehouseId, itemId)) ?? null })),
  );
}
