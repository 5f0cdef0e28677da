import { setImmediate } from 'node:timers/promises';
import type { FindOptions, Model, ModelStatic } from 'sequelize';
import { number, text } from '../database/row-values.ts';
import type { Row } from '../model/engine.ts';
import type { Log } from '../report/log.ts';
import type { Models, NewRow } from './models/models.ts';
import type { Counts, SeededTable } from './tables.ts';
import { describeAdded } from '../report/development-messages.ts';

/** The models to write with, the counts of added rows, the log, and the signal that stops the writing. */
export interface SeedTarget {
  readonly models: Models;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly counts: { -readonly [Table in keyof Counts]: Counts[Table] };
}

/** The ids of rows in the database. */
export interface Ensured {
  /** In the order of the requested rows. */
  readonly ids: readonly number[];
  /** The indexes of the added rows. */
  readonly added: readonly number[];
}

/** The most rows, or values, of a statement. The signal to stop is checked between two statements. */
const batchSize = 100;
const mostValues = 1000;

/** Inserts rows in batches, and counts them. @throws the reason of the signal if the run was aborted */
export async function add<Table extends SeededTable>(
  { models, log, signal, counts }: SeedTarget,
  table: Table,
  rows: readonly NewRow<Table>[],
): Promise<void> {
  if (rows.length === 0) return;
  const model: ModelStatic<Model> = models[table];
  for (const batch of batches(rows, batchSize)) {
    // SQLite blocks the event loop: let the signal handler run between two statements
    await setImmediate();
    signal.throwIfAborted();
    await model.bulkCreate(batch, { returning: false, hooks: false });
  }
  counts[table] += rows.length;
  log.info(describeAdded(table, rows.length), { table, rows: rows.length });
}

/**
 * Inserts the missing rows.
 * @param keys the columns that identify a row; the search uses the first of them
 * @param complete completes the missing rows before they are inserted
 */
export async function ensure<Table extends SeededTable>(
  target: SeedTarget,
  table: Table,
  keys: readonly [Column<Table>, ...Column<Table>[]],
  rows: readonly NewRow<Table>[],
  complete: (missing: readonly NewRow<Table>[]) => Promise<readonly NewRow<Table>[]> = async (missing) => missing,
): Promise<Ensured> {
  const model = target.models[table];
  const before = await identify(model, keys, rows);
  const added = rows.flatMap((row, place) => (before.has(keyOf(row, keys)) ? [] : [place]));
  const missing = rows.filter((row) => !before.has(keyOf(row, keys)));
  await add(target, table, await complete(missing));
  // SQLite does not return the ids of several new rows
  const known = missing.length === 0 ? before : new Map([...(await identify(model, keys, missing)), ...before]);
  const ids = rows.map((row) => known.get(keyOf(row, keys)));
  return { ids: ids.filter((id) => id !== undefined), added };
}

type Column<Table extends SeededTable> = keyof NewRow<Table> & string;
type Cells = Readonly<Record<string, unknown>>;

/** The ids of the existing rows, by key; of several rows with the same key, the oldest. */
async function identify(
  model: ModelStatic<Model>,
  keys: readonly [string, ...string[]],
  rows: readonly Cells[],
): Promise<ReadonlyMap<string, number>> {
  const known = new Map<string, number>();
  const [scope] = keys;
  const found = await readWhere(
    model,
    ['id', ...keys],
    scope,
    rows.map((row) => row[scope]),
  );
  for (const row of found) {
    const key = keyOf(row, keys);
    known.set(key, Math.min(number(row, 'id'), known.get(key) ?? Infinity));
  }
  return known;
}

/** Reads columns, as the driver returns them. */
export async function read(model: ModelStatic<Model>, columns: string[], options: FindOptions = {}): Promise<Row[]> {
  const rows: readonly object[] = await model.findAll({ ...options, attributes: columns, raw: true });
  return rows.map((row) => ({ ...row }));
}

/** Reads columns of the rows in which a column has one of the values. */
export async function readWhere(
  model: ModelStatic<Model>,
  columns: string[],
  where: string,
  values: readonly unknown[],
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const batch of batches([...new Set(values)], mostValues)) {
    rows.push(...(await read(model, columns, { where: { [where]: batch } })));
  }
  return rows;
}

/**
 * The numbers up to `count` that no row has yet.
 * @param model has a scope `numbered`, which selects the rows that may have a number
 * @param pattern finds the number in the text of the column
 */
export async function missingNumbers(
  model: ModelStatic<Model>,
  { column, pattern }: { readonly column: string; readonly pattern: RegExp },
  count: number,
): Promise<readonly number[]> {
  const rows = await read(model.scope('numbered'), [column]);
  const present = new Set(rows.map((row) => Number(pattern.exec(text(row, column))?.[1])));
  return Array.from({ length: count }, (_, index) => index + 1).filter((each) => !present.has(each));
}

/** Sets the code of a new row to null if another row has it, because the code must be unique or null. */
export function withoutTakenCodes<Coded extends { readonly code?: string | null }>(
  model: ModelStatic<Model>,
): (rows: readonly Coded[]) => Promise<readonly Coded[]> {
  return async (rows) => {
    const codes = rows.map(({ code }) => code);
    const taken = new Set((await readWhere(model, ['code'], 'code', codes)).map((row) => row['code']));
    return rows.map((row) => (taken.has(row.code) ? { ...row, code: null } : row));
  };
}

const keyOf = (row: Cells, keys: readonly string[]): string => JSON.stringify(keys.map((key) => row[key]));

function* batches<Item>(items: readonly Item[], size: number): Generator<Item[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}
