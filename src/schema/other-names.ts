import type { Catalog, Table } from '../model/catalog.ts';
import { quoteName } from '../platform/sql-quoting.ts';

/**
 * Finds the table that has the rows of a missing one: its name differs only in upper and lower case, or is that of the
 * copy that Alembic makes on SQLite (`_alembic_tmp_users`), which is left if an upgrade ends before the rename. It must
 * have most of the expected columns.
 */
export function findUnderOtherName(table: string, head: Catalog, { tables }: Catalog): string | null {
  const expected = head.tables[table];
  if (expected === undefined || Object.hasOwn(tables, table)) return null;
  const names = new Set([table, `_alembic_tmp_${table}`]);
  const found = Object.entries(tables).find(
    ([name, candidate]) =>
      names.has(name.toLowerCase()) && !Object.hasOwn(head.tables, name) && resembles(candidate, expected),
  );
  return found?.[0] ?? null;
}

/** The statements that rename a table. SQLite does not change only the case of a name in one step. */
export function renameStatements(found: string, table: string): readonly string[] {
  const rename = (from: string, to: string): string => `ALTER TABLE ${quoteName(from)} RENAME TO ${quoteName(to)}`;
  const between = `${table}_before`;
  return found.toLowerCase() === table ? [rename(found, between), rename(between, table)] : [rename(found, table)];
}

/** Finds the column whose name differs from a missing one only in upper and lower case. */
export function findColumnInOtherCase(
  table: string,
  column: string,
  head: Catalog,
  { tables }: Catalog,
): string | null {
  const columns = Object.keys(tables[table]?.columns ?? {});
  if (columns.includes(column)) return null;
  const known = head.tables[table]?.columns ?? {};
  return columns.find((name) => name.toLowerCase() === column && !Object.hasOwn(known, name)) ?? null;
}

function resembles(found: Table, expected: Table): boolean {
  const present = new Set(Object.keys(found.columns).map((name) => name.toLowerCase()));
  const columns = Object.keys(expected.columns);
  return columns.filter((name) => present.has(name)).length * 2 > columns.length;
}
