import { timestampText } from '../calendar.ts';
import { at } from '../random.ts';
import { address, articles, numbered, warehouseName } from '../texts.ts';
import type { NewRow } from '../models/models.ts';
import { seedTag, numbersTo, type SeedContext, stamps } from './seed-context.ts';

/** The stock level of an item in a warehouse. */
export interface Level {
  readonly warehouseId: number;
  readonly itemId: number;
  /** In hundredths: the level in the database or, without a level, the sum of movements; null without both. */
  readonly found: number | null;
  /** Whether the database has no row for this level. */
  readonly missing: boolean;
}

/** The planned changes of the stock. */
export interface StockPlan {
  readonly levels: readonly NewRow<'warehouse_stock'>[];
  readonly movements: readonly NewRow<'stock_movements'>[];
  /** Existing levels that new movements change; the quantity in pieces is added. */
  readonly changes: readonly { readonly warehouseId: number; readonly itemId: number; readonly quantity: number }[];
}

const kinds = ['adjustment', 'purchase', 'adjustment', 'return'] as const;
const reasons = { adjustment: 'Counted again', purchase: 'Delivery', return: 'Came back unused' } as const;
const dayInMilliseconds = 86_400_000;

/** Builds warehouses. @param createdBy the id of a user */
export function warehouseRows(count: number, createdBy: number, context: SeedContext): readonly NewRow<'warehouses'>[] {
  return numbersTo(count).map((number) => ({
    name: warehouseName(number - 1),
    code: `DEV-W${number}`,
    address: address(number - 1),
    is_active: true,
    created_by: createdBy,
    ...stamps(context),
  }));
}

/** Builds stock items. @param createdBy the id of a user */
export function stockItemRows(
  count: number,
  createdBy: number,
  context: SeedContext,
): readonly NewRow<'stock_items'>[] {
  const names = articles.map(([name]) => name);
  return numbersTo(count).map((number) => {
    const [, category, cost, price] = at(articles, number - 1);
    return {
      sku: `DEV-S${String(number).padStart(3, '0')}`,
      name: numbered(number - 1, names),
      category,
      unit: 'pcs',
      default_cost: cost,
      default_price: price,
      currency_code: context.currency,
      is_active: true,
      is_trackable: true,
      created_by: createdBy,
      ...stamps(context),
    };
  });
}

/**
 * Plans the missing levels, each with its opening movement, and the numbered movements. No level falls below zero at
 * any time, for any order of the days of movements, because movements only remove pieces of the opening movement.
 * @param levels all levels, grouped by warehouse; at least one if there are numbers
 * @param numbers the numbers of the movements to plan
 */
export function planStock(
  levels: readonly Level[],
  numbers: readonly number[],
  people: readonly number[],
  context: SeedContext,
): StockPlan {
  const opened = levels.map(({ found }, index) => found ?? 100 * context.random('stock', index).whole(10, 59));
  const now = [...opened];
  const spare = levels.map(({ found }, index) => (found === null ? (opened[index] ?? 0) : 0));
  const moved = numbers.map((number) => {
    const place = context.random('movement', number).whole(0, levels.length - 1);
    const quantity = quantityOf(number, (spare[place] ?? 0) / 100);
    now[place] = (now[place] ?? 0) + quantity * 100;
    spare[place] = (spare[place] ?? 0) + Math.min(quantity * 100, 0);
    return movementRow(number, at(levels, place), quantity, people, context);
  });
  const changed = (index: number): number => ((now[index] ?? 0) - (opened[index] ?? 0)) / 100;
  return {
    levels: levels.flatMap((level, index) =>
      level.missing ? [levelRow(level, index, (now[index] ?? 0) / 100, context)] : [],
    ),
    movements: [
      ...levels.flatMap((level, index) =>
        level.found === null ? [openingRow(level, (opened[index] ?? 0) / 100, people, context)] : [],
      ),
      ...moved,
    ],
    changes: levels
      .map(({ warehouseId, itemId, missing }, index) => ({ warehouseId, itemId, missing, quantity: changed(index) }))
      .filter(({ missing, quantity }) => !missing && quantity !== 0),
  };
}

/** An adjustment removes or adds up to two pieces; any other movement adds up to twenty. */
function quantityOf(number: number, spare: number): number {
  const index = number - 1;
  if (at(kinds, index) !== 'adjustment') return (index % 20) + 1;
  const wanted = (index % 5) - 2 || 1;
  return spare + wanted < 0 ? -wanted : wanted;
}

function levelRow(
  { warehouseId, itemId }: Level,
  index: number,
  quantity: number,
  context: SeedContext,
): NewRow<'warehouse_stock'> {
  return {
    warehouse_id: warehouseId,
    stock_item_id: itemId,
    quantity_on_hand: quantity,
    quantity_reserved: 0,
    location: `${at(['A', 'B', 'C'], index)}-${(index % 10) + 1}`,
    ...stamps(context),
  };
}

function openingRow(
  level: Level,
  quantity: number,
  people: readonly number[],
  context: SeedContext,
): NewRow<'stock_movements'> {
  return {
    movement_type: 'adjustment',
    warehouse_id: level.warehouseId,
    stock_item_id: level.itemId,
    quantity,
    reason: 'Opening stock',
    moved_by: at(people, 0),
    moved_at: timestampText((context.today - 120) * dayInMilliseconds),
  };
}

function movementRow(
  number: number,
  { warehouseId, itemId }: Level,
  quantity: number,
  people: readonly number[],
  context: SeedContext,
): NewRow<'stock_movements'> {
  const kind = at(kinds, number - 1);
  // at least two days ago: where local time is ahead of UTC, yesterday may not be over in UTC
  const daysAgo = 91 - (number % 90);
  return {
    movement_type: kind,
    warehouse_id: warehouseId,
    stock_item_id: itemId,
    quantity,
    reason: `${reasons[kind]} ${seedTag(number)}`,
    moved_by: at(people, number - 1),
    moved_at: timestampText((context.today - daysAgo) * dayInMilliseconds + (9 * 60 + (number % 480)) * 60_000),
  };
}
