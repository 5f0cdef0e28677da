import type { Migration } from './migration.ts';

/** A revision of the schema in the graph. */
export interface Revision {
  /** Its identifier in `alembic_version` and in umzug. */
  readonly id: string;
  /** The revisions it follows: none for the first, several for a merge. */
  readonly parents: readonly string[];
  /** Loads the module that applies it. */
  readonly load: () => Promise<{ readonly up: Migration }>;
}

/** The revision graph. All functions are pure. */
export interface Graph {
  /** All revisions, parents before children. */
  readonly revisions: readonly Revision[];
  /** The revisions without children. */
  readonly heads: readonly string[];
  knows(id: string): boolean;
  /** The given revisions and all their ancestors. Unknown ids are left out. */
  withAncestors(ids: Iterable<string>): ReadonlySet<string>;
  /** The revisions that are not applied yet in a database with these version rows, in the order of application. */
  pending(rows: Iterable<string>): readonly Revision[];
  /** The version rows without those that are ancestors of another row. */
  headsOf(rows: Iterable<string>): readonly string[];
  /** The version rows after `id` was applied: its row replaces those of its parents. */
  advance(rows: readonly string[], id: string): readonly string[];
}

/**
 * Builds the graph.
 * @param revisions parents before children; an unknown parent or a repeated id is a programming error
 * @param renamed former identifiers that releases recorded, each with its present one: old → new
 */
export function createGraph(revisions: readonly Revision[], renamed: Readonly<Record<string, string>> = {}): Graph {
  const known = new Map<string, Revision>();
  const followed = new Set<string>();
  for (const revision of revisions) {
    for (const parent of revision.parents) {
      if (!known.has(parent)) throw new Error(`revision ${revision.id} comes before its parent ${parent}`);
      followed.add(parent);
    }
    if (known.has(revision.id)) throw new Error(`revision ${revision.id} is there twice`);
    known.set(revision.id, revision);
  }
  const present = (id: string): string => (Object.hasOwn(renamed, id) ? (renamed[id] ?? id) : id);

  function withAncestors(ids: Iterable<string>): ReadonlySet<string> {
    const found = new Set<string>();
    const open = [...ids].map(present);
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      const revision = known.get(id);
      if (revision === undefined || found.has(id)) continue;
      found.add(id);
      open.push(...revision.parents);
    }
    return found;
  }

  return {
    revisions,
    heads: revisions.map(({ id }) => id).filter((id) => !followed.has(id)),
    knows: (id) => known.has(present(id)),
    withAncestors,
    pending(rows) {
      const executed = withAncestors(rows);
      return revisions.filter(({ id }) => !executed.has(id));
    },
    headsOf(rows) {
      const named = [...new Set([...rows].map(present))];
      return named.filter((row) => !named.some((other) => other !== row && withAncestors([other]).has(row)));
    },
    advance(rows, id) {
      const parents = known.get(id)?.parents ?? [];
      return [...rows.filter((row) => !parents.includes(row)), id];
    },
  };
}
