import type { RowSets, Identity } from '../model/state.ts';
import type { Engine } from '../model/engine.ts';
import type { Catalog } from '../model/catalog.ts';
import type { Difference, Mismatch, Unexpected } from '../model/difference.ts';
import { versionTable } from './catalog.ts';
import type { Fingerprints } from './fingerprints.ts';
import type { CatalogChange } from './history.ts';
import { type Comparison, fingerprintComparer } from './fingerprint-match.ts';

/**
 * Finds the revision of a database by its schema. Pure.
 *
 * Tables and columns (names, types, nullability) must be the same on both sides; those that no revision ever had belong
 * to the owner and are ignored. Constraints, indexes and sequences only decide between revisions whose tables and
 * columns match, because healthy databases of old releases have a few more or fewer of them.
 *
 * If several revisions have the same schema, a merge revision, which changes nothing, is preferred to its parents;
 * otherwise the revision with the fewest applied revisions is taken, and the later ones are applied again. That is safe
 * for all revisions that do not change the schema: 067_add_integration_credentials does nothing; 080, 095 and 096 add a
 * column only if it is missing; 089_fix_role_perm_sequences sets sequences by the rows; 136 inserts its leave type
 * only if no leave type has that code.
 */
export function identify(catalog: Catalog, engine: Engine, { all, known }: Fingerprints): Identity {
  const comparisons = all().map(fingerprintComparer(catalog, engine, known));
  const [best, ...others] = comparisons.filter((comparison) => matches(comparison, engine)).toSorted(bySimilarity);
  if (best === undefined) {
    const [nearest, ...farther] = comparisons.toSorted(byDistance);
    if (nearest === undefined) throw new Error('there are no revisions to compare with');
    const mismatches = mismatchesOf(nearest);
    return { kind: 'none', nearest: nearest.fingerprint.rows, alike: equallyNear(farther, nearest), mismatches };
  }
  return {
    kind: 'match',
    revisions: best.fingerprint.rows,
    alike: equallyNear(others, best),
    missing: best.rules,
    begun: best.unexpected,
    own: findOwnersParts(catalog, known),
  };
}

/** Up to this number of differences from its revision, a database keeps it, even if an earlier one is nearer. */
const fewDifferences = 2;

/**
 * Finds the revision before the version rows whose schema a database (nearly) has. Such a database was stamped
 * (`alembic stamp head`), and the row changes of the revisions in between are missing. Pure.
 * @param stamped the version rows, without those that are ancestors of another one
 * @returns the rows of that revision, and what the schema of `stamped` has beyond the database; null if the database has
 *   the schema of `stamped`, or is not much closer to an earlier one
 */
export function findEarlierRevision(
  stamped: readonly string[],
  catalog: Catalog,
  engine: Engine,
  { at, all, known }: Fingerprints,
): { readonly rows: readonly string[]; readonly differences: readonly Difference[] } | null {
  const compare = fingerprintComparer(catalog, engine, known);
  const own = compare(at(stamped));
  // nearly every database ends here: the comparison with all revisions takes time
  if (distanceOf(own) <= fewDifferences) return null;
  const [nearest] = all().map(compare).toSorted(byDistance);
  if (nearest === undefined || distanceOf(nearest) * 4 > distanceOf(own)) return null;
  const isEarlier = [...nearest.fingerprint.applied].every((id) => own.fingerprint.applied.has(id));
  return isEarlier ? { rows: nearest.fingerprint.rows, differences: [...own.schema, ...own.rules] } : null;
}

/** The version rows of all comparisons with the same result as `best`: the schema does not distinguish them. */
function equallyNear(others: readonly Comparison[], best: Comparison): RowSets {
  const signature = (one: Comparison): string => JSON.stringify([rankOf(one), mismatchesOf(one)]);
  const wanted = signature(best);
  return others.filter((other) => signature(other) === wanted).map(({ fingerprint }) => fingerprint.rows);
}

/**
 * The differences of a database from the expected schema of these version rows: `schema` rules the revision out,
 * `rules` are missing constraints, indexes and sequences.
 */
export function compareWith(
  rows: readonly string[],
  catalog: Catalog,
  engine: Engine,
  { at, known }: Fingerprints,
): { readonly schema: readonly Mismatch[]; readonly rules: readonly Difference[] } {
  const { schema, unexpected, rules } = fingerprintComparer(catalog, engine, known)(at(rows));
  return { schema: [...schema, ...unexpected], rules };
}

/** On SQLite the application commits each step, so a stopped upgrade leaves a part of the next revision. */
function matches({ schema, unexpected, fingerprint }: Comparison, engine: Engine): boolean {
  if (schema.length > 0) return false;
  if (unexpected.length === 0) return true;
  return engine === 'sqlite' && fingerprint.next.some((change) => unexpected.every((part) => adds(change, part)));
}

function adds(change: CatalogChange, part: Unexpected): boolean {
  const table = change.tables?.[part.table] ?? null;
  switch (part.kind) {
    case 'unexpected-table':
      return table !== null;
    case 'unexpected-column':
      return (table?.columns?.[part.column] ?? null) !== null;
  }
}

/** Ranks for sorting: smaller values are a better match. */
function rankOf({ rules, unexpected, divergences, otherTypes, expectedRules }: Comparison): readonly number[] {
  return [rules.length, unexpected.length, divergences, otherTypes, rules.length - expectedRules];
}

function bySimilarity(one: Comparison, other: Comparison): number {
  const ranks = rankOf(other);
  const difference = rankOf(one)
    .map((rank, index) => rank - (ranks[index] ?? 0))
    .find((value) => value !== 0);
  const [{ rows, applied }, { rows: otherRows, applied: otherApplied }] = [one.fingerprint, other.fingerprint];
  return difference ?? (rows.length - otherRows.length || applied.size - otherApplied.size);
}

function byDistance(one: Comparison, other: Comparison): number {
  return distanceOf(one) - distanceOf(other) || bySimilarity(one, other);
}

function distanceOf({ schema, unexpected }: Comparison): number {
  return schema.length + unexpected.length;
}

function mismatchesOf({ schema, unexpected, rules }: Comparison): readonly Mismatch[] {
  return [...schema, ...unexpected, ...rules];
}

function findOwnersParts({ tables }: Catalog, known: Fingerprints['known']): readonly string[] {
  return Object.entries(tables).flatMap(([table, { columns }]) => {
    const knownColumns = known.get(table);
    if (knownColumns === undefined) return table === versionTable ? [] : [table];
    return Object.keys(columns).flatMap((column) => (knownColumns.has(column) ? [] : [`${table}.${column}`]));
  });
}
