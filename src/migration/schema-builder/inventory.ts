import type { Row } from '../../model/engine.ts';
import { namesIn, tokenize } from './sql-tokens.ts';

/**
 * The names of all objects in the database, so that the guards need no queries. Each step updates it when it is called;
 * on PostgreSQL the statement of the step runs later.
 */
export interface Inventory {
  hasTable(table: string): boolean;
  hasColumn(table: string, column: string): boolean;
  hasIndex(index: string): boolean;
  hasEnum(name: string): boolean;
  /** The indexes that use the column, as a key, in an expression or in the predicate. */
  indexesOver(table: string, column: string): string[];

  addTable(table: string, columns: readonly string[]): void;
  renameTable(from: string, to: string): void;
  addColumn(table: string, column: string): void;
  renameColumn(table: string, from: string, to: string): void;
  /** Removes the column and the indexes over it, which the database drops with it. */
  dropColumn(table: string, column: string): void;
  /**
   * Adds an index; if it is known already, adds columns to it.
   * @param sql text that may name further columns: expressions, the predicate
   */
  addIndex(index: string, table: string, columns: readonly string[], sql?: string): void;
  dropIndex(index: string): void;
  addEnum(name: string): void;
}

interface Index {
  readonly table: string;
  readonly columns: ReadonlySet<string>;
}

/** Reads a text value from a row of the catalog. @throws TypeError if it is not text */
export function text(row: Row, key: string): string {
  const value = row[key];
  if (typeof value !== 'string') throw new TypeError(`The catalog's ${key} is not text but ${typeof value}.`);
  return value;
}

/** An empty inventory. @param fold gives the same text for names that the engine treats as equal */
export function createInventory(fold: (name: string) => string): Inventory {
  const tables = new Map<string, Set<string>>();
  const indexes = new Map<string, Index>();
  const enums = new Set<string>();
  const columnsOf = (table: string): Set<string> => tables.get(fold(table)) ?? new Set();
  const replaceIndexes = (change: (index: Index) => Index): void =>
    indexes.forEach((index, name) => indexes.set(name, change(index)));
  const indexesOver = (table: string, column: string): string[] =>
    [...indexes]
      .filter(([, index]) => index.table === fold(table) && index.columns.has(fold(column)))
      .map(([name]) => name);

  return {
    hasTable: (table) => tables.has(fold(table)),
    hasColumn: (table, column) => columnsOf(table).has(fold(column)),
    hasIndex: (index) => indexes.has(fold(index)),
    hasEnum: (name) => enums.has(fold(name)),
    indexesOver,

    addTable: (table, columns) => void tables.set(fold(table), new Set(columns.map(fold))),
    renameTable: (from, to) => {
      tables.set(fold(to), columnsOf(from));
      tables.delete(fold(from));
      replaceIndexes((index) => (index.table === fold(from) ? { ...index, table: fold(to) } : index));
    },
    addColumn: (table, column) => void columnsOf(table).add(fold(column)),
    renameColumn: (table, from, to) => {
      columnsOf(table).delete(fold(from));
      columnsOf(table).add(fold(to));
      for (const name of indexesOver(table, from)) {
        const columns = [...(indexes.get(name)?.columns ?? [])].map((column) =>
          column === fold(from) ? fold(to) : column,
        );
        indexes.set(name, { table: fold(table), columns: new Set(columns) });
      }
    },
    dropColumn: (table, column) => {
      indexesOver(table, column).forEach((name) => indexes.delete(name));
      columnsOf(table).delete(fold(column));
    },
    addIndex: (index, table, columns, sql = '') => {
      const known = indexes.get(fold(index))?.columns ?? [];
      const names = namesIn(tokenize(sql));
      const mentioned = [...columnsOf(table)].filter((column) => names.has(column.toLowerCase()));
      indexes.set(fold(index), {
        table: fold(table),
        columns: new Set([...known, ...columns.map(fold), ...mentioned]),
      });
    },
    dropIndex: (index) => void indexes.delete(fold(index)),
    addEnum: (name) => void enums.add(fold(name)),
  };
}
