import type { DatabaseFacts } from '../model/database-facts.ts';
import type { Catalog } from '../model/catalog.ts';
import type { OtherApplication } from '../model/state.ts';
import { targetOf } from '../migration/schema-builder/catalog-sql.ts';
import { versionTable } from '../schema/catalog.ts';
import type { ApplicationObjects } from '../schema/application-objects.ts';

/** A group of at most this many related tables counts as a test, which a cleanup may move to quarantine. */
const maxTestTables = 5;

/** Whether any table has TimeTracker's columns, or any enum type TimeTracker's labels: a name alone does not count. */
export function holdsTimeTrackerObjects(facts: DatabaseFacts, objects: ApplicationObjects): boolean {
  return (
    applicationTables(facts, objects).length > 0 ||
    Object.entries(facts.catalog.enums).some(([name, labels]) => objects.isApplicationEnum(name, labels))
  );
}

/** The tables that have the columns of a TimeTracker table. */
export function applicationTables(
  { catalog }: DatabaseFacts,
  { isApplicationTable }: ApplicationObjects,
): readonly string[] {
  return Object.entries(catalog.tables).flatMap(([name, { columns }]) =>
    isApplicationTable(name, Object.keys(columns)) ? [name] : [],
  );
}

/**
 * Finds another application in a database that holds nothing of TimeTracker's; null if there is none. Pure.
 *
 * A list of other applications would never be complete, so there is none. An application in use has a table that
 * records its migrations or versions, or more than a few tables that refer to each other.
 * @param occupied whether any of the related tables holds a row
 */
export function findOtherApplication(
  { foreignLedgers, catalog, revisions }: DatabaseFacts,
  occupied: boolean,
): OtherApplication | null {
  // the caller has checked that no version row is TimeTracker's
  const versions = revisions !== null && revisions.length > 0 ? [versionTable] : [];
  const related = occupied ? relatedTables(catalog) : [];
  const all = [...foreignLedgers, ...versions];
  return all.length > 0 || related.length > 0 ? { foreignLedgers: all, related } : null;
}

/**
 * The largest group of tables that refer to each other, by a foreign key or by the name of a column; empty if the group
 * has no more than `maxTestTables`.
 */
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

/** Possible beginnings of a column name that refers to a table: `category_id` refers to `wp_categories`. */
function stemsOf(table: string): readonly string[] {
  const name = table.toLowerCase();
  const bare = [name, name.replace(/^[^_]+_/, '')];
  return bare.flatMap((stem) => [stem, stem.replace(/s$/, ''), stem.replace(/es$/, ''), stem.replace(/ies$/, 'y')]);
}
