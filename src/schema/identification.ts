import type { RowSets, Identity } from '../model/state.ts';
import type { Engine } from '../model/engine.ts';
import type { Catalog } from '../model/catalog.ts';
import type { Difference, Mismatch, Unexpected } from '../model/difference.ts';
import { versionTable } from './catalog.ts';
import type { Fingerprints } from './fingerprints.ts';
import type { CatalogChange } from './history.ts';
import { type Comparison, fingerprintComparer } from './fingerprint-match.ts';

/**
 * Tells by the schema which revision a database is at. Pure.
 *
 * Tables and columns (names, types, nullability) have to agree both ways; what no revision ever had is the owner's
 * and does not count. Keys, indexes and sequences decide only between revisions that agree so far: healthy databases
 * of old releases have a few more and a few less of them.
 *
 * Where the schema tells no difference, a merge is taken for its parents, for it does nothing, and else the revision
 * with the least behind it: what follows is applied once more. That is safe for every revision that changes no
 * schema: 067_add_integration_credentials does nothing, 080, 095 and 096 add a column only where it is missing,
 * 089_fix_role_perm_sequences sets sequences to what the rows say, and 136 inserts its leave type only where there is
 * none of that code.
 */
export function identify(catalog: Catalog, engine: Engine, { all, known }: Fingerprints): Identity {
  const comparisons = all.map(fingerprintComparer(catalog, engine, known));
  const [best, ...others] = comparisons.filter((comparison) => matches(comparison, engine)).toSorted(byLikeness);
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
    own: ownParts(catalog, known),
  };
}

/** How many differences from the head are mended without asking whether the schema is that of an earlier revision. */
const fewDifferences = 2;

/**
 * The rows of an earlier revision whose schema a database has, or nearly, although it says that it is at the head: its
 * ledger was stamped (`alembic stamp head`), and what the later revisions do with rows was not done. Pure.
 * @returns null where the head is nearest, or not much farther
 */
export function findOlder(
  heads: readonly string[],
  catalog: Catalog,
  engine: Engine,
  { all, known }: Fingerprints,
): readonly string[] | null {
  const comparisons = all.map(fingerprintComparer(catalog, engine, known));
  const head = comparisons.find(({ fingerprint }) => fingerprint.rows.join() === heads.toSorted().join());
  const [nearest] = comparisons.toSorted(byDistance);
  if (head === undefined || nearest === undefined) return null;
  const isOlder = distanceOf(head) > fewDifferences && distanceOf(nearest) * 4 <= distanceOf(head);
  return isOlder ? nearest.fingerprint.rows : null;
}

/** Those from which the database differs in the same way: nothing in the schema tells them apart. */
function equallyNear(others: readonly Comparison[], best: Comparison): RowSets {
  const signature = (one: Comparison): string => JSON.stringify([rankOf(one), mismatchesOf(one)]);
  const wanted = signature(best);
  return others.filter((other) => signature(other) === wanted).map(({ fingerprint }) => fingerprint.rows);
}

/** How a database differs from what these rows of alembic_version promise: in its schema first, then in its rules. */
export function compareWith(
  rows: readonly string[],
  catalog: Catalog,
  engine: Engine,
  { all, known }: Fingerprints,
): { readonly schema: readonly Mismatch[]; readonly rules: readonly Difference[] } {
  const fingerprint = all.find((candidate) => candidate.rows.join() === rows.toSorted().join());
  if (fingerprint === undefined) throw new Error(`no fingerprint of ${rows.join(', ')}`);
  const { schema, unexpected, rules } = fingerprintComparer(catalog, engine, known)(fingerprint);
  return { schema: [...schema, ...unexpected], rules };
}

/** On SQLite the application commits each step, so what a stopped upgrade had begun of the next revision is there. */
function matches({ schema, unexpected, fingerprint }: Comparison, engine: Engine): boolean {
  if (schema.length > 0) return false;
  if (unexpected.length === 0) return true;
  return engine === 'sqlite' && fingerprint.next.some((change) => unexpected.every((part) => brings(change, part)));
}

function brings(change: CatalogChange, part: Unexpected): boolean {
  const table = change.tables?.[part.table] ?? null;
  switch (part.kind) {
    case 'unexpected-table':
      return table !== null;
    case 'unexpected-column':
      return (table?.columns?.[part.column] ?? null) !== null;
  }
}

/** Smaller is more alike. */
function rankOf({ rules, unexpected, disputed, otherTypes, promisedRules }: Comparison): readonly number[] {
  return [rules.length, unexpected.length, disputed, otherTypes, rules.length - promisedRules];
}

function byLikeness(one: Comparison, other: Comparison): number {
  const ranks = rankOf(other);
  const difference = rankOf(one)
    .map((rank, index) => rank - (ranks[index] ?? 0))
    .find((value) => value !== 0);
  const [{ rows, applied }, { rows: otherRows, applied: otherApplied }] = [one.fingerprint, other.fingerprint];
  return difference ?? (rows.length - otherRows.length || applied.size - otherApplied.size);
}

function byDistance(one: Comparison, other: Comparison): number {
  return distanceOf(one) - distanceOf(other) || byLikeness(one, other);
}

function distanceOf({ schema, unexpected }: Comparison): number {
  return schema.length + unexpected.length;
}

function mismatchesOf({ schema, unexpected, rules }: Comparison): readonly Mismatch[] {
  return [...schema, ...unexpected, ...rules];
}

function ownParts({ tables }: Catalog, known: Fingerprints['known']): readonly string[] {
  return Object.entries(tables).flatMap(([table, { columns }]) => {
    const knownColumns = known.get(table);
    if (knownColumns === undefined) return table === versionTable ? [] : [table];
    return Object.keys(columns).flatMap((column) => (knownColumns.has(column) ? [] : [`${table}.${column}`]));
  });
}
