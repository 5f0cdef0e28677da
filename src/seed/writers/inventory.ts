import { number } from '../../database/row-values.ts';
import type { Models } from '../models/models.ts';
import type { SeedOptions } from '../options.ts';
import { at } from '../random.ts';
import { type Level, planStock, stockItemRows, warehouseRows } from '../generators/inventory.ts';
import type { SeedContext } from '../generators/seed-context.ts';
import { add, ensure, missingNumbers, readWhere, type SeedTarget } from '../write.ts';

const numbered = { column: 'reason', pattern: /\(dev (\d+)\)/ } as const;

/** Adds warehouses, items and stock movements. A stock level is always the sum of its movements. */
export async function writeInventory(
  target: SeedTarget,
  { warehouses, stockItems, stockMovements }: SeedOptions,
  people: readonly number[],
  context: SeedContext,
): Promise<void> {
  const keeper = at(people, 0);
  const places = await ensure(target, 'warehouses', ['code'], warehouseRows(warehouses, keeper, context));
  const items = await ensure(target, 'stock_items', ['sku'], stockItemRows(stockItems, keeper, context));
  const levels = await levelsOf(target, places.ids, items.ids);
  if (levels.length === 0) return;
  const numbers = await missingNumbers(target.models.stock_movements, numbered, stockMovements);
  const plan = planStock(levels, numbers, people, context);
  await add(target, 'warehouse_stock', plan.levels);
  await add(target, 'stock_movements', plan.movements);
  for (const { warehouseId, itemId, quantity } of plan.changes) {
    const where = { warehouse_id: warehouseId, stock_item_id: itemId };
    await target.models.warehouse_stock.increment({ quantity_on_hand: quantity }, { where });
    await target.models.warehouse_stock.update({ updated_at: context.utc }, { where });
  }
}

async function levelsOf(
  { models }: SeedTarget,
  warehouses: readonly number[],
  items: readonly number[],
): Promise<readonly Level[]> {
  const levels = await quantities(models, 'warehouse_stock', 'quantity_on_hand', warehouses);
  const everyPlace = warehouses.flatMap((warehouseId) => items.map((itemId) => ({ warehouseId, itemId })));
  const missing = ({ warehouseId, itemId }: Pick<Level, 'warehouseId' | 'itemId'>): boolean =>
    !levels.has(keyOf(warehouseId, itemId));
  // if the row of a level was deleted, its quantity is the sum of the movements
  const moved = everyPlace.some(missing)
    ? await quantities(models, 'stock_movements', 'quantity', warehouses)
    : new Map<string, number>();
  return everyPlace.map((place) => {
    const key = keyOf(place.warehouseId, place.itemId);
    return { ...place, found: levels.get(key) ?? moved.get(key) ?? null, missing: missing(place) };
  });
}

/** The sum of a quantity, in hundredths, by warehouse and item. */
async function quantities(
  models: Models,
  table: 'warehouse_stock' | 'stock_movements',
  quantity: string,
  warehouses: readonly number[],
): Promise<ReadonlyMap<string, number>> {
  const columns = ['warehouse_id', 'stock_item_id', quantity];
  const rows = await readWhere(models[table], columns, 'warehouse_id', warehouses);
  const sums = new Map<string, number>();
  for (const row of rows) {
    const key = keyOf(number(row, 'warehouse_id'), number(row, 'stock_item_id'));
    sums.set(key, (sums.get(key) ?? 0) + Math.round(number(row, quantity) * 100));
  }
  return sums;
}

const keyOf = (warehouseId: number, itemId: number): string => `${warehouseId} ${itemId}`;
