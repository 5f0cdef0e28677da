import type { Catalog } from '../../model/catalog.ts';
import { sequenceOf } from '../../migration/schema-builder/catalog-sql.ts';
import { parseRule } from '../../repair/constraint-rules.ts';
import { parseAsideTable } from '../../quarantine/label.ts';
import { reasonColumn } from '../../quarantine/rows.ts';
import { restoreReasons } from '../../report/restore-reasons.ts';

/** PostgreSQL cuts off longer names, so that two of them may become one (manual, "Identifiers and Key Words"). */
const longest = 63;
/** How many names are told. */
const told = 10;
/** Columns that every table of PostgreSQL has (manual, "System Columns"), and the one for rows that are set aside. */
const reserved = new Set(['tableoid', 'xmin', 'cmin', 'xmax', 'cmax', 'ctid', reasonColumn]);

/**
 * The names of the owner's tables and columns that PostgreSQL cannot hold beside the expected schema, as a sentence
 * without its full stop; null if there are none. Pure.
 */
export function faultOfNames(head: Catalog, { tables }: Catalog): string | null {
  const taken = relationsOf(head);
  const faults = Object.entries(tables).flatMap(([table, { columns }]) => {
    // a quarantine came from PostgreSQL, and becomes a schema again
    if (Object.hasOwn(columns, reasonColumn) && parseAsideTable(table) !== null) return [];
    const own = !Object.hasOwn(head.tables, table);
    const expected = head.tables[table]?.columns ?? {};
    return [
      ...(own && (isUnfit(table) || taken.has(table)) ? [`table ${table}`] : []),
      ...Object.keys(columns)
        .filter((column) => !Object.hasOwn(expected, column) && (isUnfit(column) || reserved.has(column)))
        .map((column) => `column ${table}.${column}`),
    ];
  });
  if (faults.length === 0) return null;
  return restoreReasons.unfitNames(faults.slice(0, told), faults.length - told, longest);
}

const isUnfit = (name: string): boolean => name === '' || Buffer.byteLength(name) > longest;

/** Names that tables, types, indexes and sequences of the expected schema have. */
function relationsOf({ enums, tables }: Catalog): ReadonlySet<string> {
  return new Set([
    ...Object.keys(enums),
    ...Object.values(tables).flatMap(({ columns, constraints, indexes }) => [
      ...Object.keys(indexes),
      ...Object.entries(constraints).flatMap(([name, rule]) => (parseRule(rule).kind === 'unique' ? [name] : [])),
      ...Object.values(columns).flatMap((column) => sequenceOf(column.default) ?? []),
    ]),
  ]);
}
