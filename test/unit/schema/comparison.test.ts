import type { Catalog, Column, Table } from '../../../src/model/catalog.ts';
import { describe, expect, it } from 'vitest';
import { findDifferences } from '../../../src/schema/comparison.ts';

const column = (type: string, notNull = false): Column => ({ type, notNull, default: null });
const index = (definition: string, valid = true) => ({ definition, valid });

const promised: Catalog = {
  tables: {
    clients: {
      columns: { id: column('integer', true), name: column('character varying(200)', true), note: column('text') },
      constraints: { clients_pkey: 'PRIMARY KEY (id)', uq_name: 'UNIQUE (name)' },
      indexes: {
        ix_note: index('btree (note)'),
        ux_note: index('UNIQUE btree (note, id)'),
        ux_some: index('UNIQUE btree (id) WHERE (note IS NULL)'),
      },
    },
  },
  enums: { mood: ['happy', 'sad'] },
};
const clients = promised.tables['clients'] ?? { columns: {}, constraints: {}, indexes: {} };

/** What is found when the table is as promised but for these parts. */
function found(changes: Partial<Table>, engine: 'postgresql' | 'sqlite' = 'postgresql') {
  return findDifferences(promised, { ...promised, tables: { clients: { ...clients, ...changes } } }, engine);
}
const withColumns = (columns: Record<string, Column>) => ({ columns: { ...clients.columns, ...columns } });
const { clients_pkey, uq_name } = clients.constraints;
const { ix_note, ux_note, ux_some } = clients.indexes;

describe('findDifferences', () => {
  it('finds no difference in the expected schema', () => {
    expect(found({})).toEqual([]);
  });

  it('finds no difference in objects that the owner added', () => {
    const extra = {
      ...withColumns({ mine: column('text', true) }),
      constraints: { ...clients.constraints, mine: 'CHECK ((id > 0))' },
      indexes: { ...clients.indexes, mine: index('btree (name)') },
    };
    const actual = {
      tables: { clients: { ...clients, ...extra }, mine: clients },
      enums: { mood: ['new', 'happy', 'sad'] },
    };
    expect(findDifferences(promised, actual, 'postgresql')).toEqual([]);
  });

  it('accepts a wider type, and a check in other words', () => {
    const check = (definition: string, type: string): Table => ({
      columns: { id: column(type, true), source: column(type === 'bigint' ? 'text' : 'character varying(50)') },
      constraints: { check: definition },
      indexes: {},
    });
    const before = check(`CHECK (((id IS NOT NULL) OR ((source)::text = 'auto'::text)))`, 'integer');
    const after = check(`CHECK (((id IS NOT NULL) OR (source = 'auto'::text)))`, 'bigint');
    const differences = findDifferences(
      { tables: { t: before }, enums: {} },
      { tables: { t: after }, enums: {} },
      'postgresql',
    );
    expect(differences).toEqual([]);
  });

  it('finds a missing table, and does not list its columns', () => {
    expect(findDifferences(promised, { ...promised, tables: {} }, 'postgresql')).toEqual([
      { kind: 'missing-table', table: 'clients' },
    ]);
  });

  it.each<[string, Record<string, Column>, object]>([
    ['a type', { id: column('text', true) }, { kind: 'different-type', expected: 'integer', found: 'text' }],
    ['a narrower number', { id: column('smallint', true) }, { kind: 'narrower-type', expected: 'integer' }],
    ['a narrower text', { name: column('character varying(100)', true) }, { kind: 'narrower-type' }],
    ['a text that became bounded', { note: column('character varying(9)') }, { kind: 'narrower-type' }],
    ['a column that allows NULL', { name: column('character varying(200)') }, { kind: 'must-be-not-null' }],
    ['a column that forbids NULL', { note: column('text', true) }, { kind: 'must-be-nullable' }],
  ])('finds %s', (_what, columns, expected) => {
    expect(found(withColumns(columns))).toMatchObject([expected]);
  });

  it('finds a missing column', () => {
    const { note: _, ...columns } = clients.columns;
    expect(found({ columns })).toMatchObject([{ kind: 'missing-column', column: 'note', expected: { type: 'text' } }]);
  });

  it.each(['text', 'character varying', 'character varying(201)'])('accepts %s as a wide enough text', (type) => {
    expect(found(withColumns({ name: column(type, true) }))).toEqual([]);
  });

  it('accepts either type of text without a limit', () => {
    expect(found(withColumns({ note: column('character varying') }))).toEqual([]);
  });

  it('finds a table that the user may not read', () => {
    expect(found({ unreadable: true })).toEqual([{ kind: 'unreadable-table', table: 'clients' }]);
  });

  it('compares types on SQLite by their affinity', () => {
    expect(found(withColumns({ id: column('BIGINT', true), note: column('VARCHAR(9)') }), 'sqlite')).toEqual([]);
    expect(found(withColumns({ id: column('TEXT', true) }), 'sqlite')).toMatchObject([{ kind: 'different-type' }]);
  });

  it.each(['BIGINT', 'INT'])('finds a key of the type %s, for which SQLite does not number rows', (type) => {
    const constraints = { 'PRIMARY KEY (id)': 'PRIMARY KEY (id)' };
    const table = (id: string): Catalog => ({
      tables: { clients: { columns: { id: column(id, true) }, constraints, indexes: {} } },
      enums: {},
    });
    expect(findDifferences(table('INTEGER'), table('integer'), 'sqlite')).toEqual([]);
    expect(findDifferences(table('INTEGER'), table(type), 'sqlite')).toEqual([
      { kind: 'different-type', table: 'clients', column: 'id', expected: 'INTEGER', found: type },
    ]);
  });

  it('finds a missing constraint and a missing index', () => {
    expect(found({ constraints: { uq_name: uq_name ?? '' } })).toEqual([
      { kind: 'missing-constraint', table: 'clients', name: 'clients_pkey', definition: clients_pkey },
    ]);
    expect(found({ indexes: { ux_note: ux_note ?? index(''), ux_some: ux_some ?? index('') } })).toMatchObject([
      { kind: 'missing-index', name: 'ix_note' },
    ]);
  });

  it('compares constraints by their effect, not by their name', () => {
    const renamed = { a: clients_pkey ?? '', b: uq_name ?? '' };
    expect(
      found({
        constraints: renamed,
        indexes: { x: ix_note ?? index(''), y: ux_note ?? index(''), z: ux_some ?? index('') },
      }),
    ).toEqual([]);
  });

  it('accepts a unique index as a unique constraint, and the reverse', () => {
    const indexes = { ...clients.indexes, uq: index('UNIQUE btree (name)') };
    expect(found({ constraints: { clients_pkey: clients_pkey ?? '' }, indexes })).toEqual([]);
    const { ux_note: _, ...others } = clients.indexes;
    expect(found({ constraints: { ...clients.constraints, u: 'UNIQUE (note, id)' }, indexes: others })).toEqual([]);
  });

  it('does not accept a partial index as a constraint', () => {
    const indexes = { ...clients.indexes, uq: index('UNIQUE btree (name) WHERE (id > 0)') };
    expect(found({ constraints: { clients_pkey: clients_pkey ?? '' }, indexes })).toMatchObject([{ name: 'uq_name' }]);
  });

  it('finds an invalid index, unless another one has the same effect', () => {
    const cutOff = { ...clients.indexes, ix_note: index('btree (note)', false) };
    expect(found({ indexes: cutOff })).toEqual([{ kind: 'invalid-index', table: 'clients', name: 'ix_note' }]);
    expect(found({ indexes: { ...cutOff, another: index('btree (note)') } })).toEqual([]);
  });

  it.each([{}, { mood: ['happy'] }])('finds an enumeration that lacks values: %o', (enums) => {
    expect(findDifferences(promised, { ...promised, enums }, 'postgresql')).toMatchObject([
      { kind: 'missing-enum', name: 'mood' },
    ]);
  });

  it('ignores the table alembic_version', () => {
    const versions = { columns: { version_num: column('character varying(32)', true) }, constraints: {}, indexes: {} };
    const more = { ...promised, tables: { ...promised.tables, alembic_version: versions } };
    expect(findDifferences(more, promised, 'postgresql')).toEqual([]);
  });
});
