import type { DatabaseFacts, Relation } from '../model/database-facts.ts';
import type { MisspeltRevision, State } from '../model/state.ts';
import type { Catalog } from '../model/catalog.ts';
import type { Graph } from '../migration/graph.ts';
import { findFaults } from '../schema/faults.ts';
import { coreTables, hasAllCoreTables, versionTable } from '../schema/catalog.ts';
import { findUnderOtherName, renameStatements } from '../schema/other-names.ts';
import { findTornLoad, isKeyless } from '../schema/torn-load.ts';
import { findEarlierRevision, identify } from '../schema/identification.ts';
import type { Knowledge, Observation } from './observation.ts';
import { findOtherApplication, applicationTables, holdsTimeTrackerObjects } from './other-application.ts';

type Seen = Extract<Observation, { readonly kind: 'seen' }>;

/**
 * Names the state of a database. Pure: the same observation gives the same state.
 *
 * The order of the checks matters. An unfinished restore comes first: the database may then be half swapped or closed
 * to sessions. Next, a second installation is never started beside one in another schema. A database without core
 * tables may belong to another application, so signs of one are checked before the database can be cleaned or adopted.
 * Version rows without all core tables are a partial migration, whatever the rows say. Only a database that has its
 * core tables is compared in detail.
 */
export function diagnose(
  observation: Observation,
  { graph, expected, fingerprints, applicationObjects }: Knowledge,
): State {
  if (observation.restoreJournal !== null) return { kind: 'interrupted', journal: observation.restoreJournal };
  if (observation.kind === 'not-seen') return unreadable(observation);

  const { facts, traces, occupied } = observation;
  const revisions = facts.revisions ?? [];
  const others = facts.relations.filter(({ name }) => name !== versionTable);
  const present = coreTables.filter((table) => Object.hasOwn(facts.catalog.tables, table));
  const missing = coreTables.filter((table) => !present.includes(table));

  // a table of the same name in an earlier schema of the search path hides the table of the application
  const isHidden = present.length === 0 || (missing.length > 0 && revisions.length === 0);
  if (isHidden && facts.elsewhere.length > 0) {
    const { schema, elsewhere: holding, forbidden } = facts;
    return { kind: 'elsewhere', schema, holding, forbidden, hiding: present };
  }
  if (others.length === 0 && revisions.length === 0) {
    const conflicting = conflictingTypes(facts, expected.head);
    return conflicting.length === 0 ? { kind: 'fresh', traces } : { kind: 'corrupted', relations: conflicting, traces };
  }
  if (present.length === 0 && others.length > 0 && facts.foreignLedgers.length > 0) {
    return { kind: 'foreign', foreignLedgers: facts.foreignLedgers, related: [] };
  }
  const ours =
    applicationObjects === null ||
    !isOfUnknownOwner(facts, graph) ||
    holdsTimeTrackerObjects(facts, applicationObjects);
  if (!ours) {
    const owner = findOtherApplication(facts, occupied);
    if (owner !== null) return { kind: 'foreign', ...owner };
  }
  if (present.length === 0 && facts.revisions === null) {
    return stateWithoutCoreTables(others, observation, applicationObjects);
  }
  if (isUnversioned(facts)) return unversionedState(present, ours, observation, { graph, fingerprints });
  return versionedState(missing, observation, { graph, expected, fingerprints });
}

/**
 * There are tables, but neither core tables nor alembic_version. pg_restore creates tables in the order of their names,
 * and keys last: a load that was cut off may have made no core table yet. With their keys, the tables are what is left
 * of a database whose core tables were dropped.
 */
function stateWithoutCoreTables(
  relations: readonly Relation[],
  { facts, traces }: Seen,
  applicationObjects: Knowledge['applicationObjects'],
): State {
  const keyless = applicationObjects === null ? [] : applicationTables(facts, applicationObjects);
  if (keyless.length === 0 || !keyless.every((name) => isKeyless(facts.catalog.tables[name]))) {
    return { kind: 'corrupted', relations, traces };
  }
  return {
    kind: 'unversioned',
    present: [],
    foreignLedgers: facts.foreignLedgers,
    recognised: false,
    identity: { kind: 'none', nearest: [], alike: [], mismatches: [] },
    torn: { keyless, empty: [] },
    pending: [],
  };
}

/** There are core tables, and no version row. @param ours whether nothing shows that they are another application's */
function unversionedState(
  present: readonly string[],
  ours: boolean,
  { facts, engine }: Seen,
  { graph, fingerprints }: Pick<Knowledge, 'graph' | 'fingerprints'>,
): State {
  if (fingerprints === null) throw new Error('an unversioned database, and nothing to compare it with');
  const { foreignLedgers } = facts;
  const identity = identify(facts.catalog, engine, fingerprints);
  const revisions = identity.kind === 'match' ? identity.revisions : [];
  return {
    kind: 'unversioned',
    present,
    foreignLedgers,
    recognised: identity.kind === 'match' || (ours && hasAllCoreTables(present, foreignLedgers)),
    identity,
    torn: findTornLoad(facts.catalog, facts.runtime.answers, graph.withAncestors(revisions)),
    pending: identity.kind === 'match' ? graph.pending(revisions).map(({ id }) => id) : [],
  };
}

/** There are version rows, or an empty alembic_version beside other tables. @param missing the core tables that are not there */
function versionedState(
  missing: readonly string[],
  { facts, engine }: Seen,
  { graph, expected, fingerprints }: Pick<Knowledge, 'graph' | 'expected' | 'fingerprints'>,
): State {
  const revisions = facts.revisions ?? [];
  if (missing.length > 0) {
    const renamed = missing.flatMap((table) => {
      const found = findUnderOtherName(table, expected.head, facts.catalog);
      return found === null ? [] : [{ table, found, remedy: renameStatements(found, table) }];
    });
    return { kind: 'partial', revisions, missing, renamed, torn: null };
  }
  // at the head, a missing constraint is an ordinary difference, unless every key is missing
  const applied = sameMembers(revisions, graph.heads) ? [] : revisions;
  const torn = findTornLoad(facts.catalog, facts.runtime.answers, graph.withAncestors(applied));
  if (torn !== null) return { kind: 'partial', revisions, missing, renamed: [], torn };

  const unknown = revisions.filter((revision) => !graph.knows(revision));
  if (unknown.length > 0) return { kind: 'ahead', revisions, unknown, misspelt: findMisspelt(unknown, graph) };
  const earlier =
    fingerprints === null ? null : findEarlierRevision(graph.headsOf(revisions), facts.catalog, engine, fingerprints);
  if (!sameMembers(revisions, graph.heads)) {
    return earlier === null
      ? { kind: 'behind', revisions, pending: graph.pending(revisions).map(({ id }) => id) }
      : { kind: 'drifted', revisions, older: earlier.rows, differences: earlier.differences };
  }
  const differences = findFaults(expected, facts, engine);
  if (differences.length === 0) return { kind: 'current', revisions };
  return { kind: 'drifted', revisions, older: earlier?.rows ?? null, differences };
}

function unreadable({ reason, cause, sideFile }: Extract<Observation, { kind: 'not-seen' }>): State {
  return { kind: 'unreadable', reason, cause, ...(sideFile !== undefined && { sideFile }) };
}

/**
 * Types left by a former installation that prevent a new one: they have the name of a table or an enum of the head.
 * Enum types with the same labels as the head's are used as they are, and not listed.
 */
function conflictingTypes({ types, catalog }: DatabaseFacts, head: Catalog): readonly Relation[] {
  return types
    .filter((name) => name === versionTable || Object.hasOwn(head.tables, name) || Object.hasOwn(head.enums, name))
    .filter((name) => !sameLabels(head.enums[name] ?? [], catalog.enums[name] ?? []))
    .map((name) => ({ name, kind: 'type', estimatedRows: null }));
}

function sameLabels(some: readonly string[], others: readonly string[]): boolean {
  return some.length > 0 && some.join('\n') === others.join('\n');
}

/**
 * Finds rows that are the name of one known revision with spaces around it or in other case, its beginning (cut off by a
 * column of varchar(32), or its number alone), or nothing at all. Somebody wrote them by hand: no release does.
 */
function findMisspelt(unknown: readonly string[], graph: Graph): readonly MisspeltRevision[] {
  return unknown.flatMap((row): MisspeltRevision[] => {
    const name = row.trim().toLowerCase();
    if (name === '') return [{ row, revision: null }];
    const alike = graph.revisions.map(({ id }) => id).filter((id) => id.toLowerCase().startsWith(name));
    const meant = alike.find((id) => id.toLowerCase() === name) ?? (alike.length === 1 ? alike[0] : undefined);
    return meant === undefined ? [] : [{ row, revision: meant }];
  });
}

/** Whether the database has tables, and no version row that TimeTracker knows. */
export function isOfUnknownOwner({ relations, revisions }: DatabaseFacts, graph: Graph): boolean {
  return (
    relations.some(({ name }) => name !== versionTable) && !(revisions ?? []).some((revision) => graph.knows(revision))
  );
}

/** Whether there are core tables, and no version row. */
export function isUnversioned({ revisions, catalog }: DatabaseFacts): boolean {
  return (revisions ?? []).length === 0 && coreTables.some((table) => Object.hasOwn(catalog.tables, table));
}

/** Whether two lists hold the same strings, in any order. */
export function sameMembers(some: readonly string[], others: readonly string[]): boolean {
  return (
    some.length === others.length &&
    some.every((member) => others.includes(member)) &&
    others.every((member) => some.includes(member))
  );
}
