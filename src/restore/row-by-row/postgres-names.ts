import type { Catalog } from '../../model/catalog.ts';
import { sequenceOf } from '../../migration/schema-builder/catalog-sql.ts';
import { parseRule } from '../../repair/constraint-rules.ts';
import { parseAsideTable } from '../../quarantine/names.ts';
import { reasonColumn } from '../../quarantine/rows.ts';
import type { UnfitName, UnusableArchive } from '../../model/unusable-archive.ts';

/** PostgreSQL cuts off longer names, so that two of them may become one (manual, "Identifiers and Key Words"). */
const longest = 63;
/** How many names are told. */
const told = 10;
/** Columns that every table of PostgreSQL has (manual, "System Columns"), and the one for rows that are set aside. */
const reserved = new Set(['tableoid', 'xmin', 'cmin', 'xmax', 'cmax', 'ctid', reasonColumn]);

/** Finds names of the owner's tables and columns that PostgreSQL cannot hold beside the expected schema. Pure. */
export function findUnfitNames(
  head: Catalog,
  { tables }: Catalog,
): Extract<UnusableArchive, { readonly kind: 'unfit-names' }> | null {
  const taken = relationsOf(head);
  const names = Object.entries(tables).flatMap(([table, { columns }]): readonly UnfitName[] => {
    // a quarantine came from PostgreSQL, and becomes a schema again
    if (Object.hasOwn(columns, reasonColumn) && parseAsideTable(table) !== null) return [];
    const own = !Object.hasOwn(head.tables, table);
    const expected = head.tables[table]?.columns ?? {};
    return [
      ...(own && (isUnfit(table) || taken.has(table)) ? [{ table, column: null }] : []),
      ...Object.keys(columns)
        .filter((column) => !Object.hasOwn(expected, column) && (isUnfit(column) || reserved.has(column)))
        .map((column) => ({ table, column })),
    ];
  });
  if (names.length === 0) return null;
  return { kind: 'unfit-names', names: names.slice(0, told), more: names.length - told, longest };
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
