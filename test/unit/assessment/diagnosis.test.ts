import { type DatabaseFacts, noRuntimeFacts } from '../../../src/model/database-facts.ts';
import type { RestoreJournal, Trace } from '../../../src/model/state.ts';
import type { Table } from '../../../src/model/catalog.ts';
import { describe, expect, it } from 'vitest';
import { diagnose } from '../../../src/assessment/diagnosis.ts';
import type { Observation } from '../../../src/assessment/observation.ts';
import { createGraph } from '../../../src/migration/graph.ts';
import { coreTables, versionTable } from '../../../src/schema/catalog.ts';
import { fingerprintsOf } from '../../../src/schema/fingerprints.ts';
import { applicationObjectsOf } from '../../../src/schema/application-objects.ts';

const journal = { file: '/j', says: 'a restore' };
const load = () => Promise.reject(new Error('nothing is applied here'));
/** one ← two ← left, right ← head */
const graph = createGraph([
  { id: 'one', parents: [], load },
  { id: 'two', parents: ['one'], load },
  { id: 'left', parents: ['two'], load },
  { id: 'right', parents: ['two'], load },
  { id: 'head', parents: ['left', 'right'], load },
]);

const id = { type: 'integer', notNull: true, default: null };
const table: Table = { columns: { id }, constraints: { table_pkey: 'PRIMARY KEY (id)' }, indexes: {} };
const tablesOf = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, table]));
const promised = { tables: tablesOf([...coreTables, 'tasks']), enums: {} };

const fingerprints = fingerprintsOf(graph, {
  one: { tables: tablesOf(coreTables) },
  right: { tables: tablesOf(['tasks']) },
});
const applicationObjects = applicationObjectsOf(promised, { one: { tables: tablesOf(coreTables) } });
const knowledge = { graph, expected: { head: promised, seed: {} }, fingerprints, applicationObjects };

interface Seen {
  readonly tables?: readonly string[];
  readonly views?: readonly string[];
  readonly revisions?: readonly string[] | null;
  readonly foreignLedgers?: readonly string[];
  readonly elsewhere?: readonly string[];
  readonly types?: readonly string[];
  readonly occupied?: boolean;
  readonly traces?: readonly Trace[];
  readonly restoreJournal?: RestoreJournal;
}

function observe({
  tables = [],
  views = [],
  revisions = null,
  foreignLedgers = [],
  elsewhere = [],
  types = [],
  ...beside
}: Seen): Observation {
  const all = revisions === null ? tables : [...tables, versionTable];
  const facts: DatabaseFacts = {
    schema: 'public',
    elsewhere,
    forbidden: [],
    relations: [
      ...all.map((name) => ({ name, kind: 'table' as const, estimatedRows: null })),
      ...views.map((name) => ({ name, kind: 'view' as const, estimatedRows: null })),
    ],
    catalog: { tables: tablesOf(all), enums: {} },
    revisions,
    types,
    foreignLedgers,
    otherSessions: [],
    runtime: noRuntimeFacts,
  };
  return { kind: 'seen', engine: 'postgresql', facts, traces: [], occupied: false, restoreJournal: null, ...beside };
}

const core = coreTables;
const complete = [...core, 'tasks'];
const halfOfCore = core.slice(0, 3);
const uploads: Trace = { kind: 'uploads', folder: '/data/uploads' };

describe('diagnose', () => {
  it.each<[string, Seen, object]>([
    ['nothing at all', {}, { kind: 'fresh' }],
    ['an empty alembic_version and nothing else', { revisions: [] }, { kind: 'fresh' }],
    ['nothing, beside uploads', { traces: [uploads] }, { kind: 'fresh', traces: [uploads] }],
    [
      "nothing, but another tool's ledger in another schema",
      { foreignLedgers: ['other.knex_migrations'] },
      { kind: 'fresh' },
    ],

    ['nothing, and our tables in another schema', { elsewhere: ['tt'] }, { kind: 'elsewhere', holding: ['tt'] }],
    ['a stray table, and our tables in another schema', { tables: ['a'], elsewhere: ['tt'] }, { kind: 'elsewhere' }],
    [
      'a table that hides one of ours in another schema',
      { tables: ['users'], elsewhere: ['tt'] },
      { kind: 'elsewhere', holding: ['tt'], hiding: ['users'] },
    ],
    ['rows, and our tables in another schema', { revisions: ['one'], elsewhere: ['tt'] }, { kind: 'elsewhere' }],
    [
      'our tables here and in another schema',
      { tables: complete, revisions: ['head'], elsewhere: ['tt'] },
      { kind: 'current' },
    ],

    ['a type in the way', { types: ['users'] }, { kind: 'corrupted', relations: [{ name: 'users', kind: 'type' }] }],
    ["a type in nobody's way", { types: ['mood'] }, { kind: 'fresh' }],

    ['a table that is not ours', { tables: ['author'] }, { kind: 'corrupted', relations: [{ name: 'author' }] }],
    ['a view that is not ours', { views: ['v'] }, { kind: 'corrupted' }],
    ['a table of ours that is not core', { tables: ['tasks'] }, { kind: 'corrupted' }],

    ["another tool's ledger", { tables: ['a'], foreignLedgers: ['public.flyway'] }, { kind: 'foreign' }],
    [
      "another tool's ledger beside rows",
      { tables: ['a'], foreignLedgers: ['x'], revisions: ['one'] },
      { kind: 'foreign' },
    ],
    [
      "another tool's ledger beside our tables",
      { tables: complete, foreignLedgers: ['x'], revisions: ['head'] },
      { kind: 'current' },
    ],

    ['rows and no table', { revisions: ['one'] }, { kind: 'partial', missing: core }],
    ['rows and other tables', { tables: ['author'], revisions: ['one'] }, { kind: 'partial' }],
    ['empty beside other tables', { tables: ['author'], revisions: [] }, { kind: 'partial', revisions: [] }],
    [
      'rows and half of the core',
      { tables: halfOfCore, revisions: ['one'] },
      { kind: 'partial', missing: core.slice(3) },
    ],
    [
      'the head and all of the core but one',
      { tables: core.slice(1), revisions: ['head'] },
      { kind: 'partial', missing: ['users'] },
    ],
    ['an unknown row and half of the core', { tables: halfOfCore, revisions: ['later'] }, { kind: 'partial' }],

    [
      'core tables alone',
      { tables: core },
      {
        kind: 'unversioned',
        present: core,
        recognised: true,
        identity: { kind: 'match', revisions: ['one'] },
        pending: ['two', 'left', 'right', 'head'],
      },
    ],
    [
      'one core table alone',
      { tables: ['users'] },
      {
        kind: 'unversioned',
        present: ['users'],
        recognised: false,
        identity: { kind: 'none', nearest: ['one'] },
        pending: [],
      },
    ],
    [
      'core tables and an empty alembic_version',
      { tables: complete, revisions: [] },
      { kind: 'unversioned', identity: { kind: 'match', revisions: ['right'], alike: [['head'], ['left', 'right']] } },
    ],

    ['an unknown row', { tables: complete, revisions: ['later'] }, { kind: 'ahead', unknown: ['later'] }],
    [
      'misspelt rows',
      { tables: complete, revisions: ['hea', 'Right ', '', 'other'] },
      {
        kind: 'ahead',
        unknown: ['hea', 'Right ', '', 'other'],
        misspelt: [
          { row: 'hea', revision: 'head' },
          { row: 'Right ', revision: 'right' },
          { row: '', revision: null },
        ],
      },
    ],
    [
      'a known and an unknown row',
      { tables: complete, revisions: ['left', 'later'] },
      { kind: 'ahead', unknown: ['later'] },
    ],

    [
      'an older row',
      { tables: core, revisions: ['one'] },
      { kind: 'behind', pending: ['two', 'left', 'right', 'head'] },
    ],
    ['two heads', { tables: core, revisions: ['left', 'right'] }, { kind: 'behind', pending: ['head'] }],
    ['the head beside its ancestor', { tables: complete, revisions: ['head', 'one'] }, { kind: 'behind', pending: [] }],

    ['the head, whole', { tables: complete, revisions: ['head'] }, { kind: 'current', revisions: ['head'] }],
    [
      "the head, whole, and the owner's own table",
      { tables: [...complete, 'mine'], revisions: ['head'] },
      { kind: 'current' },
    ],
    [
      'the head without a table that it promises',
      { tables: core, revisions: ['head'] },
      { kind: 'drifted', differences: [{ kind: 'missing-table', table: 'tasks' }] },
    ],

    [
      'a restore that did not finish, whatever else',
      { tables: complete, revisions: ['head'], restoreJournal: journal },
      { kind: 'interrupted', journal },
    ],
    ['a restore that did not finish, and nothing else', { restoreJournal: journal }, { kind: 'interrupted' }],
  ])('%s', (_what, seen, expected) => {
    expect(diagnose(observe(seen), knowledge)).toMatchObject(expected);
  });

  it('does not call a database empty that could not be read', () => {
    const notSeen = { kind: 'not-seen', reason: 'permission denied', cause: { kind: 'rights' } } as const;
    expect(diagnose({ ...notSeen, restoreJournal: null }, knowledge)).toEqual({
      kind: 'unreadable',
      reason: 'permission denied',
      cause: { kind: 'rights' },
    });
    expect(diagnose({ ...notSeen, restoreJournal: journal }, knowledge)).toEqual({ kind: 'interrupted', journal });
  });
});
