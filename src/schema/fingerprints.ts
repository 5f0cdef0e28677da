import type { Engine } from '../model/engine.ts';
import type { Catalog } from '../model/catalog.ts';
import type { Graph } from '../migration/graph.ts';
import { applyChange, catalogAt, type CatalogChange, emptyCatalog, type History, loadHistory } from './history.ts';

/** A possible set of rows in alembic_version, with the catalog that belongs to it. */
export interface Fingerprint {
  readonly rows: readonly string[];
  /** The revisions that were applied: the rows and all their ancestors. */
  readonly applied: ReadonlySet<string>;
  readonly catalog: Catalog;
  /** The changes of the revisions that can come next. */
  readonly next: readonly CatalogChange[];
}

/** The fingerprints that a database is compared with. */
export interface Fingerprints {
  /** The fingerprint of version rows that this release knows. @throws Error for others */
  readonly at: (rows: readonly string[]) => Fingerprint;
  /**
   * A fingerprint for every set of version rows that can result from applying revisions one by one, in any order that the
   * graph allows: those of releases, and those of operators who upgraded only one branch. In ascending order of the
   * number of applied revisions. The first call builds them, which takes far longer than `at`.
   */
  readonly all: () => readonly Fingerprint[];
  /** All tables that any revision ever had, with all their columns. Others are the owner's. */
  readonly known: ReadonlyMap<string, ReadonlySet<string>>;
}

export async function loadFingerprints(engine: Engine, graph: Graph): Promise<Fingerprints> {
  return fingerprintsOf(graph, await loadHistory(engine));
}

export function fingerprintsOf(graph: Graph, history: History): Fingerprints {
  const fingerprint = (rows: readonly string[], catalog: Catalog): Fingerprint => {
    const applied = graph.withAncestors(rows);
    return { rows, applied, catalog, next: nextRevisions(applied, graph).map((id) => history[id] ?? {}) };
  };
  let all: readonly Fingerprint[] | null = null;
  return {
    at(rows) {
      if (!rows.every((row) => graph.knows(row))) throw new Error(`no fingerprint of ${rows.join(', ')}`);
      return fingerprint(rows.toSorted(), catalogAt(rows, graph, history));
    },
    all: () => (all ??= reachable(graph, history).map(({ rows, catalog }) => fingerprint(rows, catalog))),
    known: findKnownParts(history),
  };
}

/** The sets of version rows that can result from applying revisions one by one, each with its catalog. */
function reachable(graph: Graph, history: History): readonly Pick<Fingerprint, 'rows' | 'catalog'>[] {
  const found: Pick<Fingerprint, 'rows' | 'catalog'>[] = [];
  let open: readonly Pick<Fingerprint, 'rows' | 'catalog'>[] = [{ rows: [], catalog: emptyCatalog }];
  while (open.length > 0) {
    const following = new Map<string, Pick<Fingerprint, 'rows' | 'catalog'>>();
    for (const { rows, catalog } of open) {
      if (rows.length > 0) found.push({ rows, catalog });
      for (const id of nextRevisions(graph.withAncestors(rows), graph)) {
        const reached = graph.advance(rows, id).toSorted();
        if (!following.has(reached.join())) {
          following.set(reached.join(), { rows: reached, catalog: applyChange(catalog, history[id]) });
        }
      }
    }
    open = [...following.values()];
  }
  return found;
}

/** The revisions that are not applied, but whose parents all are. */
function nextRevisions(applied: ReadonlySet<string>, graph: Graph): readonly string[] {
  return graph.revisions
    .filter(({ id, parents }) => !applied.has(id) && parents.every((parent) => applied.has(parent)))
    .map(({ id }) => id);
}

function findKnownParts(history: History): ReadonlyMap<string, ReadonlySet<string>> {
  const known = new Map<string, Set<string>>();
  for (const { tables = {} } of Object.values(history)) {
    for (const [name, table] of Object.entries(tables)) {
      const columns = known.get(name) ?? new Set<string>();
      Object.keys(table?.columns ?? {}).forEach((column) => columns.add(column));
      known.set(name, columns);
    }
  }
  return known;
}
