import type { DatabaseFacts, Relation } from '../database/database.ts';
import type { Difference } from '../schema/comparison.ts';
import { findFaults } from '../schema/faults.ts';
import type { SideFileFault } from '../failure.ts';
import { coreTables, isWholeCore, versionTable } from '../schema/catalog.ts';
import { findTornLoad, type TornLoad } from '../schema/torn-load.ts';
import { findOlder, identify, type Identity } from '../schema/identification.ts';
import type { Knowledge, Observation, RestoreJournal } from './observation.ts';

/** The state that a database is in (recovery document, "Detection Logic", carried further). */
export type State =
  | { readonly kind: 'fresh'; readonly traces: readonly string[] }
  | { readonly kind: 'current'; readonly revisions: readonly string[] }
  | { readonly kind: 'behind'; readonly revisions: readonly string[]; readonly pending: readonly string[] }
  | {
      readonly kind: 'drifted';
      readonly revisions: readonly string[];
      /** The rows of an earlier revision whose schema this is, as far as one can tell: the ledger is not to be believed. */
      readonly older: readonly string[] | null;
      readonly differences: readonly Difference[];
    }
  | { readonly kind: 'corrupted'; readonly relations: readonly Relation[] }
  | {
      readonly kind: 'partial';
      readonly revisions: readonly string[];
      readonly missing: readonly string[];
      /** Set where the tables are there, but what a load brings after them is not. */
      readonly torn: TornLoad | null;
    }
  | {
      readonly kind: 'unversioned';
      readonly present: readonly string[];
      /** Of other migration tools. */
      readonly ledgers: readonly string[];
      /** Whether the core tables are TimeTracker's, as far as one can tell: only then a reset deletes them. */
      readonly recognised: boolean;
      readonly identity: Identity;
      /** Set where the schema or the rows were only loaded in part: then it is not adopted. */
      readonly torn: TornLoad | null;
      /** What is to be applied to a database of that identity. */
      readonly pending: readonly string[];
    }
  | { readonly kind: 'ahead'; readonly revisions: readonly string[]; readonly unknown: readonly string[] }
  | { readonly kind: 'foreign'; readonly ledgers: readonly string[] }
  /** TimeTracker's tables are in other schemas than the one that the application would use. PostgreSQL only. */
  | { readonly kind: 'elsewhere'; readonly schema: string | null; readonly holding: readonly string[] }
  | { readonly kind: 'interrupted'; readonly journal: RestoreJournal }
  | { readonly kind: 'unreadable'; readonly reason: string; readonly sideFile?: SideFileFault };

/**
 * Names the state of a database. Pure: the same observation gives the same state.
 *
 * The order of the questions is the rule. An unfinished restore comes first, for what is seen then is half of
 * something, or nothing: the exchange ends sessions. A second installation is never begun beside one that lies in
 * another schema. A database without any core table may be somebody else's, so
 * other tools' ledgers are asked for before anything that could be cleaned. Version rows without their core tables are
 * a partial migration whatever the rows say, and only a database that has its core tables is looked at closely.
 */
export function diagnose(observation: Observation, { graph, promised, fingerprints }: Knowledge): State {
  if (observation.restoreJournal !== null) return { kind: 'interrupted', journal: observation.restoreJournal };
  if (observation.kind === 'not-seen') return unreadable(observation);

  const { facts, traces, engine } = observation;
  const revisions = facts.revisions ?? [];
  const others = facts.relations.filter(({ name }) => name !== versionTable);
  const present = coreTables.filter((table) => Object.hasOwn(facts.catalog.tables, table));
  const missing = coreTables.filter((table) => !present.includes(table));

  if (present.length === 0 && facts.elsewhere.length > 0) {
    return { kind: 'elsewhere', schema: facts.schema, holding: facts.elsewhere };
  }
  if (others.length === 0 && revisions.length === 0) return { kind: 'fresh', traces };
  if (present.length === 0 && others.length > 0 && facts.ledgers.length > 0) {
    return { kind: 'foreign', ledgers: facts.ledgers };
  }
  if (present.length === 0 && facts.revisions === null) return { kind: 'corrupted', relations: others };
  if (isUnversioned(facts)) {
    if (fingerprints === null) throw new Error('an unversioned database, and nothing to compare it with');
    const identity = identify(facts.catalog, engine, fingerprints);
    const pending = identity.kind === 'match' ? graph.pending(identity.revisions).map(({ id }) => id) : [];
    const { ledgers } = facts;
    const recognised = identity.kind === 'match' || isWholeCore(present, ledgers);
    const applied = graph.withAncestors(identity.kind === 'match' ? identity.revisions : []);
    const torn = findTornLoad(facts.catalog, facts.surroundings.answers, applied);
    return { kind: 'unversioned', present, ledgers, recognised, identity, torn, pending };
  }
  if (missing.length > 0) return { kind: 'partial', revisions, missing, torn: null };
  // at the head what is missing is a difference like any other, unless there is no key at all
  const applied = sameMembers(revisions, graph.heads) ? [] : revisions;
  const torn = findTornLoad(facts.catalog, facts.surroundings.answers, graph.withAncestors(applied));
  if (torn !== null) return { kind: 'partial', revisions, missing, torn };

  const unknown = revisions.filter((revision) => !graph.knows(revision));
  if (unknown.length > 0) return { kind: 'ahead', revisions, unknown };
  if (!sameMembers(revisions, graph.heads)) {
    return { kind: 'behind', revisions, pending: graph.pending(revisions).map(({ id }) => id) };
  }
  const differences = findFaults(promised, facts, engine);
  if (differences.length === 0) return { kind: 'current', revisions };
  const older = fingerprints === null ? null : findOlder(graph.heads, facts.catalog, engine, fingerprints);
  return { kind: 'drifted', revisions, older, differences };
}

function unreadable({ reason, sideFile }: Extract<Observation, { kind: 'not-seen' }>): State {
  return { kind: 'unreadable', reason, ...(sideFile !== undefined && { sideFile }) };
}

/** Whether there are core tables, and nothing that says which revision they are at. */
export function isUnversioned({ revisions, catalog }: DatabaseFacts): boolean {
  return (revisions ?? []).length === 0 && coreTables.some((table) => Object.hasOwn(catalog.tables, table));
}

/** Whether two lists hold the same things, in any order. */
export function sameMembers(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((member) => others.includes(member));
}
