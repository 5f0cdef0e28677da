import type { Engine } from '../model/engine.ts';
import type { Catalog, Table } from '../model/catalog.ts';
import type { Difference, Unexpected, Mismatch } from '../model/difference.ts';
import { findDifferences } from './comparison.ts';
import { isKnownDivergence } from './known-divergences.ts';
import type { Fingerprint, Fingerprints } from './fingerprints.ts';

/** How a database differs from a fingerprint. */
export interface Comparison {
  readonly fingerprint: Fingerprint;
  /** Tables, columns and enum types that are missing or different. */
  readonly schema: readonly Difference[];
  /** Tables and columns that belong to other revisions. */
  readonly unexpected: readonly Unexpected[];
  /** Missing constraints, indexes and sequences, and other differences that do not rule the revision out. */
  readonly rules: readonly Difference[];
  /** The number of differences in columns that differ between releases (`isKnownDivergence`). */
  readonly divergences: number;
  /** The number of columns whose type is compatible with the expected one, but not equal. */
  readonly otherTypes: number;
  readonly expectedRules: number;
}

interface TableComparison {
  readonly mismatches: readonly Mismatch[];
  readonly otherTypes: number;
  readonly expectedRules: number;
}

/**
 * Returns a function that compares a database with a fingerprint. Revisions share the objects of tables that they do
 * not change, so each version of a table is compared only once.
 * @param known all tables and columns that any revision ever had; others are ignored
 */
export function fingerprintComparer(
  catalog: Catalog,
  engine: Engine,
  known: Fingerprints['known'],
): (fingerprint: Fingerprint) => Comparison {
  const knownTables = Object.keys(catalog.tables).filter((name) => known.has(name));
  const compared = new Map<Table, TableComparison>();
  const compareOnce = (name: string, expected: Table): TableComparison => {
    const found = compared.get(expected) ?? compareTable(name, expected, catalog, engine, known.get(name));
    compared.set(expected, found);
    return found;
  };

  return (fingerprint) => {
    const { tables, enums } = fingerprint.catalog;
    const parts = Object.entries(tables).map(([name, table]) => compareOnce(name, table));
    const mismatches: readonly Mismatch[] = [
      ...findDifferences({ tables: {}, enums }, catalog, engine),
      ...parts.flatMap((part) => part.mismatches),
      ...knownTables
        .filter((table) => !Object.hasOwn(tables, table))
        .map((table) => ({ kind: 'unexpected-table', table }) as const),
    ];
    const counted = mismatches.filter((mismatch) => !isAccepted(mismatch, fingerprint));
    const differences = counted.filter(isDifference);
    return {
      fingerprint,
      schema: differences.filter(({ kind }) => weights[kind] === 'schema'),
      unexpected: counted.filter(isUnexpected),
      rules: differences.filter(({ kind }) => weights[kind] === 'rule'),
      divergences: mismatches.length - counted.length,
      otherTypes: parts.reduce((sum, part) => sum + part.otherTypes, 0),
      expectedRules: parts.reduce((sum, part) => sum + part.expectedRules, 0),
    };
  };
}

function compareTable(
  name: string,
  expected: Table,
  { tables: { [name]: found } }: Catalog,
  engine: Engine,
  known: ReadonlySet<string> = new Set(),
): TableComparison {
  const columns = Object.entries(expected.columns);
  const actual: Catalog = { tables: found === undefined ? {} : { [name]: found }, enums: {} };
  const others = Object.keys(found?.columns ?? {}).filter(
    (column) => known.has(column) && !Object.hasOwn(expected.columns, column),
  );
  return {
    mismatches: [
      ...findDifferences({ tables: { [name]: expected }, enums: {} }, actual, engine),
      ...others.map((column) => ({ kind: 'unexpected-column', table: name, column }) as const),
    ],
    otherTypes: columns.filter(([column, { type }]) => (found?.columns[column]?.type ?? type) !== type).length,
    expectedRules: Object.keys(expected.constraints).length + Object.keys(expected.indexes).length,
  };
}

/** Whether releases differ in this column, and the fingerprint is older than the revision that makes them equal. */
function isAccepted(mismatch: Mismatch, { applied }: Fingerprint): boolean {
  return (
    (mismatch.kind === 'missing-column' || mismatch.kind === 'unexpected-column') &&
    isKnownDivergence(mismatch.table, mismatch.column, applied)
  );
}

function isUnexpected(mismatch: Mismatch): mismatch is Unexpected {
  return mismatch.kind === 'unexpected-table' || mismatch.kind === 'unexpected-column';
}

function isDifference(mismatch: Mismatch): mismatch is Difference {
  return !isUnexpected(mismatch);
}

/** `schema`: the difference rules a revision out. `rule`: it only makes the revision less likely. */
const weights = {
  'missing-table': 'schema',
  'missing-column': 'schema',
  'different-type': 'schema',
  'narrower-type': 'rule',
  'must-be-not-null': 'schema',
  'must-be-nullable': 'schema',
  'missing-enum': 'schema',
  'unreadable-table': 'rule',
  'unknown-label': 'rule',
  'sequence-behind': 'rule',
  'missing-rows': 'rule',
  obstruction: 'rule',
  'missing-sequence': 'rule',
  'missing-constraint': 'rule',
  'missing-index': 'rule',
  'invalid-index': 'rule',
} as const satisfies Record<Difference['kind'], 'schema' | 'rule'>;
