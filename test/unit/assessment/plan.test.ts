import type { State } from '../../../src/model/state.ts';
import type { Consent } from '../../../src/model/plan.ts';
import { describe, expect, it } from 'vitest';
import { planFor } from '../../../src/assessment/plan.ts';

const none: Consent = {
  skipCleanup: false,
  requireExisting: false,
  allowNewerSchema: false,
  drift: 'repair',
};
const other = { pid: 7, application: 'app', user: 'timetracker', client: '10.0.0.2' };
const allRevisions = ['one', 'two'];

const states = {
  fresh: { kind: 'fresh', traces: [] },
  current: { kind: 'current', revisions: ['two'] },
  behind: { kind: 'behind', revisions: ['one'], pending: ['two'] },
  drifted: { kind: 'drifted', revisions: ['two'], older: null, differences: [] },
  corrupted: { kind: 'corrupted', relations: [], traces: [] },
  partial: { kind: 'partial', revisions: ['one'], missing: ['users'], renamed: [], torn: null },
  unversioned: {
    kind: 'unversioned',
    present: ['users'],
    foreignLedgers: [],
    recognised: false,
    identity: { kind: 'none', nearest: ['one'], alike: [], mismatches: [] },
    torn: null,
    pending: [],
  },
  ahead: { kind: 'ahead', revisions: ['three'], unknown: ['three'], misspelt: [] },
  foreign: { kind: 'foreign', foreignLedgers: ['public.knex_migrations'], related: [] },
  elsewhere: { kind: 'elsewhere', schema: 'public', holding: ['tt'], forbidden: [], hiding: [] },
  interrupted: { kind: 'interrupted', journal: { file: '/j', says: null } },
  unreadable: { kind: 'unreadable', reason: 'no', cause: { kind: 'other' } },
} as const satisfies { [Kind in State['kind']]: Extract<State, { kind: Kind }> };

interface Inputs extends Partial<Consent> {
  readonly engine?: 'postgresql' | 'sqlite';
  readonly others?: readonly (typeof other)[];
}

function plan(kind: State['kind'], { engine = 'postgresql', others = [], ...consent }: Inputs = {}) {
  return planFor(states[kind], { ...none, ...consent }, { engine, allRevisions, others });
}

const engines = ['postgresql', 'sqlite'] as const;

describe('planFor', () => {
  it.each(engines)('accepts a current database on %s', (engine) => {
    expect(plan('current', { engine })).toMatchObject({ kind: 'pass' });
  });

  it.each(engines)('migrates a fresh or older database on %s, even if other sessions are connected', (engine) => {
    const others = [other];
    expect(plan('fresh', { engine, others })).toMatchObject({
      kind: 'migrate',
      pending: allRevisions,
      quarantine: false,
    });
    expect(plan('behind', { engine, others })).toMatchObject({ kind: 'migrate', pending: ['two'], quarantine: false });
  });

  it('refuses an empty database with TT_REQUIRE_EXISTING, and no other state', () => {
    expect(plan('fresh', { requireExisting: true })).toMatchObject({
      kind: 'refuse',
      refusal: { exitCode: 16, reason: 'must-not-be-empty' },
    });
    expect(plan('behind', { requireExisting: true }).kind).toBe('migrate');
  });

  it('refuses a corrupted database with TT_REQUIRE_EXISTING if there are traces of an earlier one', () => {
    const required = { ...none, requireExisting: true };
    const inputs = { engine: 'postgresql', allRevisions, others: [] } as const;
    const former = { ...states.corrupted, traces: [{ kind: 'uploads', folder: '/data/uploads' }] } as const;
    expect(planFor(former, required, inputs)).toMatchObject({
      kind: 'refuse',
      refusal: { exitCode: 16, reason: 'must-not-be-empty' },
    });
    expect(planFor(former, none, inputs).kind).toBe('migrate');
    expect(planFor(states.corrupted, required, inputs).kind).toBe('migrate');
  });

  it('quarantines only on PostgreSQL, without other sessions, and if cleanup is allowed', () => {
    expect(plan('corrupted')).toMatchObject({ kind: 'migrate', pending: allRevisions, quarantine: true });
    const refusals: [Inputs, string, unknown[]][] = [
      [{ skipCleanup: true }, 'cleanup-is-off', []],
      [{ engine: 'sqlite' }, 'cleanup-needs-postgresql', []],
      [{ others: [other] }, 'others-are-connected', [other]],
      // a setting of the owner is reported before an obstacle
      [{ skipCleanup: true, engine: 'sqlite', others: [other] }, 'cleanup-is-off', []],
    ];
    for (const [inputs, reason, others] of refusals) {
      expect(plan('corrupted', inputs)).toMatchObject({
        kind: 'refuse',
        refusal: { exitCode: 10, reason, others },
      });
    }
  });

  it('adopts an identified schema, and refuses an unknown one', () => {
    const identity = { kind: 'match', revisions: ['one'], alike: [], missing: [], begun: [], own: [] } as const;
    const state: State = { ...states.unversioned, identity, pending: ['two'] };
    expect(planFor(state, none, { engine: 'postgresql', allRevisions, others: [] })).toMatchObject({
      kind: 'migrate',
      adopt: ['one'],
      pending: ['two'],
    });
    expect(plan('unversioned')).toMatchObject({ kind: 'refuse', refusal: { exitCode: 12 } });
  });

  it('accepts a newer schema only with consent', () => {
    expect(plan('ahead')).toMatchObject({ kind: 'refuse', refusal: { exitCode: 13 } });
    expect(plan('ahead', { allowNewerSchema: true })).toMatchObject({ kind: 'pass' });
  });

  it.each(
    engines.flatMap((engine) => (['partial', 'foreign', 'unreadable'] as const).map((kind) => [kind, engine] as const)),
  )('refuses %s on %s, even with every consent', (kind, engine) => {
    const codes = { partial: 11, foreign: 15, unreadable: 17 };
    const consent = { skipCleanup: false, requireExisting: false, allowNewerSchema: true };
    expect(plan(kind, { engine, ...consent })).toMatchObject({
      kind: 'refuse',
      refusal: { exitCode: codes[kind], state: states[kind] },
    });
  });
});
