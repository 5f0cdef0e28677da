import type { DatabaseFacts } from '../model/database-facts.ts';
import type { Catalog } from '../model/catalog.ts';
import type { OtherApplication } from '../model/state.ts';
import { targetOf } from '../migration/schema-builder/catalog-sql.ts';
import { versionTable } from '../schema/catalog.ts';
import type { ApplicationObjects } from '../schema/application-objects.ts';

/** Up to so many related tables pass for somebody's test, which a cleanup may put aside by itself. */
const maxTestTables = 5;

/** Whether anything there is TimeTracker's by more than its name. */
export function holdsTimeTrackerObjects(facts: DatabaseFacts, objects: ApplicationObjects): boolean {
  return (
    holdsApplicationTables(facts, objects) ||
    Object.entries(facts.catalog.enums).some(([name, labels]) => objects.isApplicationEnum(name, labels))
  );
}

/** Whether a table is TimeTracker's by its columns. */
export function holdsApplicationTables(
  { catalog }: DatabaseFacts,
  { isApplicationTable }: ApplicationObjects,
): boolean {
  return Object.entries(catalog.tables).some(([name, { columns }]) => isApplicationTable(name, Object.keys(columns)));
}

/**
 * What looks like a whole application in a database that holds nothing of TimeTracker's; null if nothing does. Pure.
 *
 * No list of other applications is ever complete, so none is kept: whoever works on a database for years records its
 * migrations or versions in it, or has more than a handful of tables that refer to each other.
 * @param occupied whether any of the related tables holds a row
 */
export function findOtherApplication(
  { ledgers, catalog, revisions }: DatabaseFacts,
  occupied: boolean,
): OtherApplication | null {
  // whoever calls has made sure that no row of it is TimeTracker's
  const versions = revisions !== null && revisions.length > 0 ? [versionTable] : [];
  const related = occupied ? relatedTables(catalog) : [];
  const all = [...ledgers, ...versions];
  return all.length > 0 || related.length > 0 ? { ledgers: all, related } : null;
}

/** The largest group of tables that refer to each other, by foreign key or by the name of a column; none if it is small. */
export function relatedTables({ tables }: Catalog): readonly string[] {
  const names = Object.keys(tables).filter((name) => name !== versionTable);
  const byStem = new Map(names.flatMap((name) => stemsOf(name).map((stem) => [stem, name] as const)));
  const groups = new Map(names.map((name) => [name, new Set([name])]));
  const join = (one: string, other: string | undefined): void => {
    const [first, second] = [groups.get(one), groups.get(other ?? one)];
    if (first === undefined || second === undefined || first === second) return;
    for (const name of second) groups.set(name, first.add(name));
  };
  for (const name of names) {
    const { columns = {}, constraints = {} } = tables[name] ?? {};
    for (const rule of Object.values(constraints)) join(name, targetOf(rule) ?? undefined);
    for (const column of Object.keys(columns))
      join(name, byStem.get(/^(\w{3,}?)_?id$/i.exec(column)?.[1]?.toLowerCase() ?? ''));
  }
  const [largest] = [...groups.values()].toSorted((one, other) => other.size - one.size);
  return largest !== undefined && largest.size > maxTestTables ? [...largest].toSorted() : [];
}

/** What a column that refers to a table may begin with: `wp_categories` is referred to as `category_id`. */
function stemsOf(table: string): readonly string[] {
  const name = table.toLowerCase();
  const bare = [name, name.replace(/^[^_]+_/, '')];
  return bare.flatMap((stem) => [stem, stem.replace(/s$/, ''), stem.replace(/es$/, ''), stem.replace(/ies$/, 'y')]);
}
