import type { Engine } from '../../../src/model/engine.ts';
import type { Catalog, Column, Table } from '../../../src/model/catalog.ts';
import { describe, expect, it } from 'vitest';
import { createGraph } from '../../../src/migration/graph.ts';
import { releaseGraph } from '../../../src/migration/revisions.ts';
import { fingerprintsOf } from '../../../src/schema/fingerprints.ts';
import { loadHistory } from '../../../src/schema/history.ts';
import { compareWith, identify } from '../../../src/schema/identification.ts';

const load = () => Promise.reject(new Error('nothing is applied here'));
const column = (type: string, notNull = false): Column => ({ type, notNull, default: null });
const none = { constraints: {}, indexes: {} };

/** first ← width ← rules ← (left, right) ← merge */
const graph = createGraph([
  { id: 'first', parents: [], load },
  { id: 'width', parents: ['first'], load },
  { id: 'rules', parents: ['width'], load },
  { id: 'left', parents: ['rules'], load },
  { id: 'right', parents: ['rules'], load },
  { id: 'merge', parents: ['left', 'right'], load },
]);
const fingerprints = fingerprintsOf(graph, {
  first: { tables: { t: { columns: { id: column('integer', true), name: column('character varying(10)') } } } },
  width: { tables: { t: { columns: { name: column('character varying(20)') } } } },
  rules: { tables: { t: { indexes: { i: { definition: 'btree (name)', valid: true } } } } },
  left: { tables: { l: { columns: { id: column('integer', true) } } } },
  right: { tables: { t: { columns: { r: column('integer') } }, m: { columns: { id: column('integer', true) } } } },
  merge: {},
});

const at = (...rows: string[]): Catalog => fingerprints.at(rows).catalog;
const withTable = (catalog: Catalog, name: string, change: Partial<Table>): Catalog => ({
  ...catalog,
  tables: { ...catalog.tables, [name]: { columns: {}, ...none, ...catalog.tables[name], ...change } },
});
const withColumns = (catalog: Catalog, columns: Table['columns']): Catalog =>
  withTable(catalog, 't', { columns: { ...catalog.tables['t']?.columns, ...columns } });
const identified = (catalog: Catalog, engine: Engine = 'postgresql') => identify(catalog, engine, fingerprints);

describe('identify', () => {
  it.each(['postgresql', 'sqlite'] as const)('finds every revision by its catalog on %s', (engine) => {
    for (const { rows, catalog } of fingerprints.all()) {
      const identity = identified(catalog, engine);
      expect(identity.kind === 'match' && [identity.revisions, ...identity.alike], rows.join()).toContainEqual(rows);
    }
  });

  it('identifies a merge as its parents', () => {
    expect(identified(at('left', 'right'))).toMatchObject({ revisions: ['merge'], alike: [['left', 'right']] });
  });

  it('distinguishes revisions by the width of a text, and accepts a wider one', () => {
    expect(identified(at('first'))).toMatchObject({ revisions: ['first'], missing: [] });
    expect(identified(at('width'))).toMatchObject({ revisions: ['width'], missing: [] });
    const wider = withColumns(at('left'), { name: column('text') });
    expect(identified(wider)).toMatchObject({ revisions: ['left'] });
  });

  it('distinguishes revisions by keys and indexes if nothing else differs', () => {
    const lacking = withTable(at('left'), 't', { indexes: {} });
    expect(identified(lacking)).toMatchObject({
      kind: 'match',
      revisions: ['left'],
      missing: [{ kind: 'missing-index', table: 't', name: 'i' }],
    });
    expect(identified(withTable(at('rules'), 't', { indexes: {} }))).toMatchObject({ revisions: ['width'] });
  });

  it("ignores objects of the owner's, and names them", () => {
    const own = withColumns(withTable(at('right'), 'mine', {}), { note: column('text') });
    expect(identified(own)).toMatchObject({ kind: 'match', revisions: ['right'], own: ['t.note', 'mine'] });
  });

  it.each<[string, Catalog, object]>([
    [
      'a column too few',
      withTable(at('merge'), 't', { columns: { id: column('integer', true), r: column('integer') } }),
      { nearest: ['merge'], mismatches: [{ kind: 'missing-column', column: 'name' }] },
    ],
    [
      'another type',
      withColumns(at('right'), { name: column('bytea') }),
      {
        nearest: ['right'],
        mismatches: [{ kind: 'different-type', expected: 'character varying(20)', found: 'bytea' }],
      },
    ],
    [
      'another nullability',
      withColumns(at('right'), { r: column('integer', true) }),
      { nearest: ['right'], mismatches: [{ kind: 'must-be-nullable', column: 'r' }] },
    ],
    [
      'a table of a later revision',
      withTable(at('first'), 'm', { columns: { id: column('integer', true) } }),
      { nearest: ['first'], mismatches: [{ kind: 'unexpected-table', table: 'm' }] },
    ],
  ])('names the nearest revision for %s, and all differences', (_what, catalog, expected) => {
    expect(identified(catalog)).toMatchObject({ kind: 'none', ...expected });
  });

  it('recognises on SQLite the parts of a revision whose upgrade stopped half-way', () => {
    const begun = withTable(at('rules'), 'm', { columns: { id: column('integer', true) } });
    expect(identified(begun, 'sqlite')).toMatchObject({
      kind: 'match',
      revisions: ['rules'],
      begun: [{ kind: 'unexpected-table', table: 'm' }],
    });
    expect(identified(begun, 'postgresql')).toMatchObject({ kind: 'none' });
  });
});

describe('identify, for databases of releases', async () => {
  const history = { postgresql: await loadHistory('postgresql'), sqlite: await loadHistory('sqlite') };
  const fingerprintsFor = {
    postgresql: fingerprintsOf(releaseGraph, history.postgresql),
    sqlite: fingerprintsOf(releaseGraph, history.sqlite),
  };
  const catalogOf = (engine: Engine, row: string): Catalog => fingerprintsFor[engine].at([row]).catalog;
  const without = (catalog: Catalog, table: string, name: string): Catalog => {
    const { [name]: _, ...columns } = catalog.tables[table]?.columns ?? {};
    return { ...catalog, tables: { ...catalog.tables, [table]: { ...none, ...catalog.tables[table], columns } } };
  };

  it.each(['postgresql', 'sqlite'] as const)(
    'finds the version rows on %s, or others with the same schema',
    (engine) => {
      // every fourth: comparing each with each takes seconds
      for (const { rows, catalog } of fingerprintsFor[engine].all().filter((_, index) => index % 4 === 0)) {
        const identity = identify(catalog, engine, fingerprintsFor[engine]);
        const found = identity.kind === 'match' ? [identity.revisions, ...identity.alike] : [];
        expect(found, rows.join()).toContainEqual(rows);
        expect(identity, rows.join()).toMatchObject({ missing: [], begun: [], own: [] });
      }
    },
  );

  it('ignores a column about which releases disagree, until a revision settles it', () => {
    const of = (row: string) =>
      identify(
        without(catalogOf('postgresql', row), 'clients', 'portal_issues_enabled'),
        'postgresql',
        fingerprintsFor.postgresql,
      );
    expect(of('049')).toMatchObject({ kind: 'match', revisions: ['049'] });
    expect(of('098_add_invoice_peppol_transmissions')).toMatchObject({
      kind: 'none',
      nearest: ['098_add_invoice_peppol_transmissions'],
      mismatches: [{ kind: 'missing-column', table: 'clients', column: 'portal_issues_enabled' }],
    });
  });

  it('finds the revision before a half-applied one on SQLite, so that it is applied completely', () => {
    const done = catalogOf('sqlite', '140_client_portal_dashboard_prefs');
    const table = done.tables['client_portal_dashboard_preferences'];
    const constraints = Object.fromEntries(
      Object.entries(table?.constraints ?? {}).filter(([, rule]) => !rule.startsWith('UNIQUE')),
    );
    const half: Catalog = {
      ...done,
      tables: { ...done.tables, client_portal_dashboard_preferences: { columns: {}, ...none, ...table, constraints } },
    };
    expect(identify(half, 'sqlite', fingerprintsFor.sqlite)).toMatchObject({
      kind: 'match',
      revisions: ['139_keyboard_shortcuts'],
      begun: [{ kind: 'unexpected-table', table: 'client_portal_dashboard_preferences' }],
    });
    expect(identify(half, 'postgresql', fingerprintsFor.sqlite)).toMatchObject({
      revisions: ['140_client_portal_dashboard_prefs'],
    });
  });
});

describe('compareWith', () => {
  it('lists what the schema lacks, with keys and indexes apart', () => {
    expect(compareWith(['right'], at('rules'), 'postgresql', fingerprints)).toEqual({
      schema: [
        { kind: 'missing-column', table: 't', column: 'r', expected: column('integer') },
        { kind: 'missing-table', table: 'm' },
      ],
      rules: [],
    });
    expect(compareWith(['rules'], at('width'), 'postgresql', fingerprints)).toMatchObject({
      schema: [],
      rules: [{ kind: 'missing-index', name: 'i' }],
    });
    expect(() => compareWith(['other'], at('rules'), 'postgresql', fingerprints)).toThrow(/other/);
  });
});
