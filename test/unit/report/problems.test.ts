import { describe, expect, it } from 'vitest';
import { exitCodeOf, type FailedMigration, type Problem } from '../../../src/errors/failure.ts';
import { describeProblem } from '../../../src/report/error-messages.ts';
import { commandsOf } from '../../support/commands.ts';

const database = 'app on db:5432';
const holder = { description: 'pid 7' };
const failed: FailedMigration = {
  engine: 'postgresql',
  revision: 'two',
  applied: ['one'],
  remaining: ['three'],
  reason: 'no',
};
const prepared = { kind: 'prepared', name: "it's", user: 'app', tables: [] } as const;
const verdict = { versionTableMissing: false, revisions: ['one'], heads: ['two'], differences: [] };

const table: readonly [number, Problem][] = [
  [2, { kind: 'usage', message: 'no' }],
  [2, { kind: 'configuration', faults: [{ variable: 'TT_WAIT_TIMEOUT', problem: 'is no number' }] }],
  [2, { kind: 'unsupported-server', version: '12.22' }],
  [2, { kind: 'unfit-encoding', database, encoding: 'LATIN1' }],
  [2, { kind: 'transaction-pooler' }],
  [2, { kind: 'network-file-system', path: '/mnt', fileSystem: 'NFS' }],
  [3, { kind: 'unreachable', database, seconds: 9, reason: 'no' }],
  [3, { kind: 'connection-lost', database, reason: 'no' }],
  [3, { kind: 'no-such-database', database, name: 'app' }],
  [4, { kind: 'access-denied', database, reason: 'no' }],
  [4, { kind: 'missing-rights', database, rights: [{ action: { kind: 'create-schema' }, remedy: 'GRANT WINGS;' }] }],
  [5, { kind: 'locked', holder, seconds: 9 }],
  [
    14,
    { kind: 'broken-indexes', database, indexes: [{ name: 'i', table: 't', reason: 'no', remedy: 'REINDEX INDEX i' }] },
  ],
  [17, { kind: 'unreadable', database, reason: 'no' }],
  [20, { kind: 'migration-failed', failed, cause: { kind: 'other' } }],
  [20, { kind: 'migration-failed', failed, cause: { kind: 'disk-full' } }],
  [20, { kind: 'migration-failed', failed, cause: { kind: 'lock-timeout', blockers: [] } }],
  [20, { kind: 'migration-failed', failed, cause: { kind: 'lock-timeout', blockers: [prepared] } }],
  [4, { kind: 'migration-failed', failed, cause: { kind: 'rights' } }],
  [3, { kind: 'database-failed', database, reason: 'no', cause: { kind: 'connections' } }],
  [20, { kind: 'database-failed', database, reason: 'no', cause: { kind: 'memory' } }],
  [20, { kind: 'database-failed', database, reason: 'no', cause: { kind: 'lock-table' } }],
  [20, { kind: 'database-failed', database, reason: 'no', cause: { kind: 'deadlock' } }],
  [20, { kind: 'database-failed', database, reason: 'no', cause: { kind: 'cancelled' } }],
  [20, { kind: 'database-failed', database, reason: 'no', cause: { kind: 'read-only' } }],
  [20, { kind: 'database-failed', database, reason: 'no', cause: { kind: 'damage' } }],
  [21, { kind: 'verification-failed', database, verdict }],
  [2, { kind: 'reset-refused', database, obstacle: { kind: 'others-are-connected', others: [] } }],
  [2, { kind: 'reset-refused', database, obstacle: { kind: 'file-in-use', file: '/data/app.db' } }],
  [
    2,
    {
      kind: 'reset-refused',
      database,
      obstacle: {
        kind: 'blocking-objects',
        objects: [{ kind: 'dependent', description: 'view v depends on table users' }],
      },
    },
  ],
  [30, { kind: 'reset-refused', database, obstacle: { kind: 'no-backup', reason: 'The disk is full.' } }],
  [130, { kind: 'interrupted', signal: 'SIGINT' }],
  [143, { kind: 'interrupted', signal: 'SIGTERM' }],
];

describe('every problem', () => {
  it.each(table)('has the exit code %i: %o', (code, problem) => {
    expect(exitCodeOf(problem)).toBe(code);
  });

  it.each(table)('says what happened, what is safe, and what to do (%i, %o)', (_code, problem) => {
    const { title, happened, safe, options } = describeProblem(problem, commandsOf());
    for (const text of [title, safe, ...happened, ...options]) {
      expect(text.trim()).not.toBe('');
      expect(text).not.toContain('undefined');
    }
    expect(happened.length * options.length).toBeGreaterThan(0);
  });

  it.each(table)('names a variable for every command of db-init that changes something (%i, %o)', (_code, problem) => {
    const { options } = describeProblem(problem, commandsOf());
    const changing =
      /^ {2}docker compose run --rm db-init (?:backup create|restore|quarantine create|adopt|repair|reset)\b/m;
    for (const option of options.filter((each) => changing.test(each))) expect(option).toMatch(/^ {2}# or set TT_/m);
  });

  it.each(table)('puts options that delete data last, in capitals (%i, %o)', (_code, problem) => {
    const { options } = describeProblem(problem, commandsOf());
    const destructive = options.filter((option) => /down -v|volume rm|DROP/.test(option));
    expect(options.slice(0, -1).filter((option) => destructive.includes(option))).toEqual([]);
    expect(destructive.filter((option) => !option.includes('DELETES ALL DATA'))).toEqual([]);
  });
});

describe('a missing alembic_version', () => {
  it('is reported in the words of the recovery document', () => {
    const missing = { ...verdict, versionTableMissing: true };
    const { happened } = describeProblem({ kind: 'verification-failed', database, verdict: missing }, commandsOf());
    // one to a line, so that none is broken
    expect(happened).toEqual([
      'WARNING: alembic_version table missing after migrations!',
      'Migrations reported success but alembic_version table was not created.',
      'This indicates migrations did not actually run or were rolled back.',
    ]);
  });
});
