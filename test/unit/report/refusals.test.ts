import type { State } from '../../../src/model/state.ts';
import type { Refusal } from '../../../src/model/plan.ts';
import { describe, expect, it } from 'vitest';
import { currentRelease } from '../../../src/releases.ts';
import { describeRefusal } from '../../../src/report/refusals.ts';
import { commandsOf, sqliteAddress } from '../../support/commands.ts';

const postgres = 'timetracker on db:5432';
const sqlite = '/data/timetracker.db';
const differences = [{ kind: 'missing-table', table: 'tasks' }] as const;

type Case = readonly [State['kind'], Refusal['reason'], State];

/** The states in which a backup may be the way out. */
const table: readonly Case[] = [
  ['fresh', 'must-not-be-empty', { kind: 'fresh', traces: [{ kind: 'backups', folder: '/b', count: 2 }] }],
  ['corrupted', 'cleanup-is-off', { kind: 'corrupted', relations: [], traces: [] }],
  ['partial', 'state', { kind: 'partial', revisions: ['050_x'], missing: ['users'], renamed: [], torn: null }],
  [
    'unversioned',
    'state',
    {
      kind: 'unversioned',
      present: ['users'],
      foreignLedgers: [],
      recognised: true,
      identity: { kind: 'none', nearest: ['050_x'], alike: [], mismatches: differences },
      torn: null,
      pending: [],
    },
  ],
  ['drifted', 'repair-is-off', { kind: 'drifted', revisions: ['171_x'], older: null, differences }],
  ['drifted', 'incomplete-at-head', { kind: 'drifted', revisions: ['171_x'], older: null, differences }],
  ['drifted', 'unrepairable', { kind: 'drifted', revisions: ['171_x'], older: null, differences }],
  ['ahead', 'state', { kind: 'ahead', revisions: ['200_x'], unknown: ['200_x'], misspelt: [] }],
  ['unreadable', 'state', { kind: 'unreadable', reason: 'the file is damaged', cause: { kind: 'damage' } }],
];

const optionsOf = (database: string, [, reason, state]: Case): readonly string[] =>
  describeRefusal(
    database,
    { exitCode: 11, state, reason, others: [], unsafe: [] },
    commandsOf(database === sqlite ? sqliteAddress : undefined),
  ).options;

describe.each([postgres, sqlite])('a refusal of %s', (database) => {
  it.each(table)('contains the commands that restore a backup (%s, %s)', (...given) => {
    const options = optionsOf(database, given).join('\n');
    expect(options).toContain('  docker compose run --rm db-init backup list\n');
    expect(options).toContain('  docker compose stop app\n  docker compose run --rm db-init restore FILE');
  });

  it.each(table)('puts an option that deletes data last and in capitals, if there is one (%s, %s)', (...given) => {
    const options = optionsOf(database, given);
    const destructive = options.filter((option) => /dropdb|db-init reset/.test(option));
    expect(destructive).toEqual(options.filter((option) => option.includes('THIS DELETES ALL DATA')));
    expect(options.slice(0, -1).filter((option) => destructive.includes(option))).toEqual([]);
    expect(destructive.length).toBeLessThanOrEqual(database === sqlite ? 0 : 1);
  });
});

describe('tables that may belong to another application', () => {
  it('are put aside, because a reset refuses them', () => {
    const identity = { kind: 'none', nearest: ['050_x'], alike: [], mismatches: differences } as const;
    const facts = {
      present: ['users'],
      foreignLedgers: ['public.django_migrations'],
      recognised: false,
      pending: [],
    };
    const state = { kind: 'unversioned', ...facts, identity, torn: null } as const;
    const options = optionsOf(postgres, ['unversioned', 'state', state]).join('\n');
    expect(options).not.toContain('db-init reset');
    expect(options).toContain('db-init quarantine create --all --yes');
  });
});

describe('a corrupted database', () => {
  it('is not offered on SQLite what only PostgreSQL can do', () => {
    const corrupted: Case = ['corrupted', 'cleanup-is-off', { kind: 'corrupted', relations: [], traces: [] }];
    expect(optionsOf(postgres, corrupted).join()).toContain('quarantine schema');
    expect(optionsOf(sqlite, corrupted).join()).not.toContain('quarantine schema');
  });
});

it('the refusal of a newer schema names the release of this image and the releases of the known rows', () => {
  const revisions = ['171_merge_kanban_feature_heads', '999_x'];
  const state = { kind: 'ahead', revisions, unknown: ['999_x'], misspelt: [] } as const;
  const refusal: Refusal = { exitCode: 13, state, reason: 'state', others: [], unsafe: [] };
  const happened = describeRefusal(postgres, refusal, commandsOf()).happened.join('\n');
  expect(happened).toContain(
    `This image is for TimeTracker ${currentRelease.to} (${currentRelease.heads.join(', ')}).`,
  );
  expect(happened).toContain('171_merge_kanban_feature_heads is a revision of TimeTracker 5.9.4 to 5.10.1.');
});
