import type { Engine } from '../model/engine.ts';
import type { Catalog, Table } from '../model/catalog.ts';
import type { Difference, Unexpected, Mismatch } from '../model/difference.ts';
import { findDifferences } from './comparison.ts';
import { isKnownDivergence } from './known-divergences.ts';
import type { Fingerprint, Fingerprints } from './fingerprints.ts';

/** How a database differs from a fingerprint. */
export interface Comparison {
  readonly fingerprint: Fingerprint;
  /** Tables, columns and types that are missing or different. */
  readonly schema: readonly Difference[];
  /** Tables and columns of other revisions. */
  readonly unexpected: readonly Unexpected[];
  /** Keys, indexes and sequences that are missing. */
  readonly rules: readonly Difference[];
  /** How many differences are in columns on which releases disagree. */
  readonly disputed: number;
  /** How many columns have a type that does as well as the promised one, but is another. */
  readonly otherTypes: number;
  /** How many keys and indexes are promised. */
  readonly promisedRules: number;
}

/** What of a comparison concerns a table. */
interface TableComparison {
  readonly mismatches: readonly Mismatch[];
  readonly otherTypes: number;
  readonly promisedRules: number;
}

/**
 * Returns what compares a database with fingerprints. Revisions share the tables that they do not change, so each
 * form of a table is compared once.
 * @param known every part that any revision ever had; what is beyond it does not count
 */
export function fingerprintComparer(
  catalog: Catalog,
  engine: Engine,
  known: Fingerprints['known'],
): (fingerprint: Fingerprint) => Comparison {
  const knownTables = Object.keys(catalog.tables).filter((name) => known.has(name));
  const compared = new Map<Table, TableComparison>();
  const compareOnce = (name: string, promised: Table): TableComparison => {
    const found = compared.get(promised) ?? compareTable(name, promised, catalog, engine, known.get(name));
    compared.set(promised, found);
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
    const counted = mismatches.filter((mismatch) => !isOpen(mismatch, fingerprint));
    const differences = counted.filter(isDifference);
    return {
      fingerprint,
      schema: differences.filter(({ kind }) => weights[kind] === 'schema'),
      unexpected: counted.filter(isUnexpected),
      rules: differences.filter(({ kind }) => weights[kind] === 'rule'),
      disputed: mismatches.length - counted.length,
      otherTypes: parts.reduce((sum, part) => sum + part.otherTypes, 0),
      promisedRules: parts.reduce((sum, part) => sum + part.promisedRules, 0),
    };
  };
}

function compareTable(
  name: string,
  promised: Table,
  { tables: { [name]: found } }: Catalog,
  engine: Engine,
  known: ReadonlySet<string> = new Set(),
): TableComparison {
  const columns = Object.entries(promised.columns);
  const actual: Catalog = { tables: found === undefined ? {} : { [name]: found }, enums: {} };
  const others = Object.keys(found?.columns ?? {}).filter(
    (column) => known.has(column) && !Object.hasOwn(promised.columns, column),
  );
  return {
    mismatches: [
      ...findDifferences({ tables: { [name]: promised }, enums: {} }, actual, engine),
      ...others.map((column) => ({ kind: 'unexpected-column', table: name, column }) as const),
    ],
    otherTypes: columns.filter(([column, { type }]) => (found?.columns[column]?.type ?? type) !== type).length,
    promisedRules: Object.keys(promised.constraints).length + Object.keys(promised.indexes).length,
  };
}

/** Whether releases disagree on it, and the fingerprint is from before that was settled. */
function isOpen(mismatch: Mismatch, { applied }: Fingerprint): boolean {
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

/** Whether a difference rules a revision out, or only speaks against it. */
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
