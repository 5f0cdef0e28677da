import { describe, expect, it } from 'vitest';
import { releaseGraph } from '../../../src/migration/revisions.ts';
import { versionTable } from '../../../src/schema/catalog.ts';
import { fingerprintsOf } from '../../../src/schema/fingerprints.ts';
import { applyChange, catalogAt, changeBetween, emptyCatalog, loadHistory } from '../../../src/schema/history.ts';
import { loadHead } from '../../../src/schema/expected-schema.ts';
import { releasedRows, severalRows } from '../migration/released-rows.ts';

const head = releaseGraph.heads;
const nameOf = (rows: readonly string[]): string => releaseGraph.headsOf(rows).toSorted().join();

describe.each(['postgresql', 'sqlite'] as const)('the history of %s', async (engine) => {
  const history = await loadHistory(engine);
  const { all: build, known } = fingerprintsOf(releaseGraph, history);
  const all = build();

  it('has every revision', () => {
    expect(Object.keys(history)).toEqual(releaseGraph.revisions.map(({ id }) => id));
  });

  it('ends at the catalog of the head', async () => {
    const { tables, enums } = await loadHead(engine);
    const { [versionTable]: versions, ...expected } = tables;
    expect(versions).toBeDefined();
    const nameless = Object.entries(expected).map(([name, table]) => {
      // on SQLite only the head has the names of constraints, for the history was observed
      const rules = Object.values(table.constraints).map((rule) => [rule, rule]);
      return [name, { ...table, constraints: engine === 'sqlite' ? Object.fromEntries(rules) : table.constraints }];
    });
    expect(catalogAt(head, releaseGraph, history)).toEqual({ tables: Object.fromEntries(nameless), enums });
  });

  it('has a fingerprint for every revision, and for all version rows that releases or an interrupted run left', () => {
    const sets = new Set(all.map(({ rows }) => rows.join()));
    const wanted = [
      ...releaseGraph.revisions.map(({ id }) => [id]),
      ...releasedRows.map(([, ...rows]) => rows),
      ...Object.values(severalRows),
    ];
    expect(wanted.map(nameOf).filter((rows) => !sets.has(rows))).toEqual([]);
    expect(sets.size).toBe(all.length);
  });

  it('gives the same catalog for any order in which the branches were applied', () => {
    const different = all.filter(({ rows, catalog }) => {
      const inOrder = catalogAt(rows, releaseGraph, history);
      return Object.keys(changeBetween(inOrder, catalog)).length > 0;
    });
    expect(different.map(({ rows }) => rows)).toEqual([]);
  });

  it('contains tables and columns that later revisions dropped', () => {
    expect(known.get('offers')).toContain('offer_number');
    expect(known.get('settings')).toContain('ui_allow_calendar');
    expect(known.has(versionTable)).toBe(false);
  });
});

describe('a change between catalogs', () => {
  const column = { type: 'integer', notNull: true, default: null };
  const index = { definition: 'btree (a)', valid: true };
  const one = {
    tables: { t: { columns: { a: column, b: column }, constraints: { pk: 'PRIMARY KEY (a)' }, indexes: {} } },
    enums: { e: ['x'] },
  };
  const two = {
    tables: {
      t: { columns: { a: { ...column, notNull: false } }, constraints: {}, indexes: { i: index } },
      u: { columns: { a: column }, constraints: {}, indexes: {} },
    },
    enums: { e: ['x', 'y'], f: ['z'] },
  };

  it.each([
    ['forwards', one, two],
    ['backwards', two, one],
    ['from nothing', emptyCatalog, two],
    ['to nothing', two, emptyCatalog],
  ])('turns the first into the second %s', (_direction, before, after) => {
    expect(applyChange(before, changeBetween(before, after))).toEqual(after);
  });

  it('is empty if nothing changes', () => {
    expect(changeBetween(two, structuredClone(two))).toEqual({});
  });
});
