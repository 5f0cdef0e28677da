import type { Catalog, Table } from '../model/catalog.ts';
import type { Answer } from '../model/database-facts.ts';
import type { TornLoad } from '../model/state.ts';
import { coreTables } from './catalog.ts';
import { requiredSeedTables } from './row-questions.ts';

/** The revision that inserts roles and permissions, without which no user has any permission. */
const seedingRevision = '030';

/**
 * Recognises a load that was cut off: no core table has its primary key, or all roles and permissions are missing
 * although the revision that inserts them was applied. A single missing key or row may have another cause. Pure.
 * @param applied the applied revisions
 */
export function findTornLoad(
  { tables }: Catalog,
  answers: readonly Answer[],
  applied: ReadonlySet<string>,
): TornLoad | null {
  const present = coreTables.filter((name) => Object.hasOwn(tables, name));
  const keyless = present.filter((name) => isKeyless(tables[name]));
  const empty = requiredSeedTables.filter((name) =>
    answers.some(({ fault, table }) => fault === 'seed' && table === name),
  );
  const torn =
    (present.length > 0 && keyless.length === present.length) ||
    findLostSeed(answers, applied).length === requiredSeedTables.length;
  return torn ? { keyless, empty } : null;
}

/** The tables of roles and permissions that have none of their rows, although the revision that inserts them was applied. */
export function findLostSeed(answers: readonly Answer[], applied: ReadonlySet<string>): readonly string[] {
  if (!applied.has(seedingRevision)) return [];
  return requiredSeedTables.filter((name) => answers.some(({ fault, table }) => fault === 'seed' && table === name));
}

/** Whether a table has no primary key: pg_restore creates the keys after all rows. */
export function isKeyless(table: Table | undefined): boolean {
  return !Object.values(table?.constraints ?? {}).some((rule) => rule.startsWith('PRIMARY KEY'));
}
