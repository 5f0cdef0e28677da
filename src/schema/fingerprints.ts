import type { Engine } from '../model/engine.ts';
import type { Catalog } from '../model/catalog.ts';
import type { Graph } from '../migration/graph.ts';
import { applyChange, type CatalogChange, emptyCatalog, type History, loadHistory } from './history.ts';

/** A set of rows that alembic_version may hold, with the catalog that goes with it. */
export interface Fingerprint {
  readonly rows: readonly string[];
  /** The revisions that were applied: the rows and all their ancestors. */
  readonly applied: ReadonlySet<string>;
  readonly catalog: Catalog;
  /** What the revisions that may come next would change. */
  readonly next: readonly CatalogChange[];
}

/** Everything that a database without version information is compared with. */
export interface Fingerprints {
  /** Fewer applied revisions first. */
  readonly all: readonly Fingerprint[];
  /** Every table that any revision ever had, with every column: what is beyond it is the owner's. */
  readonly known: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Loads the history of an engine and makes the fingerprints of it. */
export async function loadFingerprints(engine: Engine, graph: Graph): Promise<Fingerprints> {
  return fingerprintsOf(graph, await loadHistory(engine));
}

/**
 * The fingerprints of every set of rows that applying revisions one by one, in any order the graph allows, leaves
 * in alembic_version. Those of releases are among them, and so are those of operators who upgraded one branch only.
 */
export function fingerprintsOf(graph: Graph, history: History): Fingerprints {
  const found: Fingerprint[] = [];
  let open = [{ rows: [] as readonly string[], catalog: emptyCatalog }];
  while (open.length > 0) {
    const following = new Map<string, { rows: readonly string[]; catalog: Catalog }>();
    for (const { rows, catalog } of open) {
      const applied = graph.withAncestors(rows);
      const ready = readyAfter(applied, graph);
      const next = ready.map((id) => history[id] ?? {});
      if (rows.length > 0) found.push({ rows, applied, catalog, next });
      for (const id of ready) {
        const reached = graph.advance(rows, id).toSorted();
        if (!following.has(reached.join())) {
          following.set(reached.join(), { rows: reached, catalog: applyChange(catalog, history[id]) });
        }
      }
    }
    open = [...following.values()];
  }
  return { all: found, known: partsEverKnown(history) };
}

/** The revisions whose parents are all applied, and which are not. */
function readyAfter(applied: ReadonlySet<string>, graph: Graph): readonly string[] {
  return graph.revisions
    .filter(({ id, parents }) => !applied.has(id) && parents.every((parent) => applied.has(parent)))
    .map(({ id }) => id);
}

function partsEverKnown(history: History): ReadonlyMap<string, ReadonlySet<string>> {
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
