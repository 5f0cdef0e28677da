import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../src/config/config.ts';
import type { Problem } from '../../../src/errors/failure.ts';
import { type Commands, commandsFor } from '../../../src/report/commands.ts';
import { describeProblem } from '../../../src/report/error-messages.ts';

const address = { DATABASE_URL: 'postgresql://tt:pw@db.example.org/tt' };
const parts = { POSTGRES_HOST: 'db.example.org', POSTGRES_DB: 'tt' };

/** The commands of a run outside of compose. @param words its command line */
function commandsOf(words: readonly string[], environment: Readonly<Record<string, string>> = address): Commands {
  return commandsFor({ ...readConfig({ TT_COMMAND_PREFIX: './entrypoint', ...environment }, '/app'), words });
}

/** The options of a banner as one text. */
const optionsOf = (problem: Problem, commands: Commands): string =>
  describeProblem(problem, commands).options.join('\n');

const database = 'tt on db.example.org:5432';

describe('the command to run next', () => {
  it.each<[string, Problem]>([
    ['an interruption', { kind: 'interrupted', signal: 'SIGINT' }],
    ['a lost connection', { kind: 'connection-lost', database, reason: 'no' }],
    ['a lock', { kind: 'locked', holder: { description: 'pid 7' }, seconds: 9 }],
    ['a full lock table', { kind: 'database-failed', database, reason: 'no', cause: { kind: 'lock-table' } }],
    ['a full server', { kind: 'unreachable', database, seconds: 9, reason: 'no', full: true }],
  ])('is the same command after %s', (_what, problem) => {
    expect(optionsOf(problem, commandsOf(['backup', 'create', '--keep', '5', '--json']))).toContain(
      '\n  ./entrypoint backup create --keep 5\n'.trimEnd(),
    );
    // what is at the other end of the stream is not known
    expect(optionsOf(problem, commandsOf(['restore', '-', '--yes']))).not.toContain('restore -');
    for (const words of [[], ['gate'], ['gate', '--json']]) {
      expect(optionsOf(problem, commandsOf(words))).toContain('\n  ./entrypoint gate');
    }
  });

  it('has the consent that was lacking', () => {
    const lacking: Problem = { kind: 'usage', message: 'no', lacking: ['--yes'] };
    expect(optionsOf(lacking, commandsOf(['restore', 'my backup.zip']))).toContain(
      "  ./entrypoint restore 'my backup.zip' --yes\n  # or set TT_RUN_ONCE=",
    );
    const inUse: Problem = {
      kind: 'restore-refused',
      database,
      obstacle: { kind: 'others-are-connected', others: [] },
    };
    expect(optionsOf(inUse, commandsOf(['restore', 'a.zip']))).toContain('\n  ./entrypoint restore a.zip --disconnect');
    expect(optionsOf(inUse, commandsOf([]))).not.toContain('gate --disconnect');
    // TT_RUN_ONCE lacks it, and the command line is that of the gate
    expect(optionsOf(lacking, commandsOf(['gate']))).toContain('./entrypoint help');
    const about: Problem = { kind: 'usage', message: 'no', about: 'backup' };
    expect(optionsOf(about, commandsOf([]))).toContain('\n  ./entrypoint help backup');
  });
});

describe('the reason of a lost connection', () => {
  it('begins with a capital letter, unless it begins with the name of a program', () => {
    const happened = (reason: string) =>
      describeProblem({ kind: 'connection-lost', database, reason }, commandsOf([])).happened.join(' ');
    expect(happened('terminating connection')).toBe('Terminating connection.');
    expect(happened('pg_dump: error: no')).toBe('pg_dump: error: no.');
  });
});

describe('advice about the address', () => {
  const problems: readonly Problem[] = [
    { kind: 'access-denied', database, reason: 'no' },
    { kind: 'unreachable', database, seconds: 9, reason: 'no' },
    { kind: 'no-such-database', database, name: 'tt' },
  ];

  it.each(problems)('names the variables that are set: $kind', (problem) => {
    const { options } = describeProblem(problem, commandsOf([], parts));
    const compare = options.find((option) => option.startsWith('Compare'));
    expect(compare).toMatch(/^Compare POSTGRES_\w+/);
    expect(compare).not.toContain('DATABASE_URL');
    expect(optionsOf(problem, commandsOf([]))).toMatch(/Compare the .* DATABASE_URL/);
  });

  it('lets a superuser set a password or a limit: the user itself may not connect', () => {
    expect(optionsOf({ kind: 'access-denied', database, reason: 'no' }, commandsOf([]))).toContain(
      String.raw`  psql -h db.example.org -p 5432 -U postgres -c '\password "tt"' postgres`,
    );
    const full: Problem = { kind: 'unreachable', database, seconds: 9, reason: 'no', full: true };
    expect(optionsOf(full, commandsOf([])).match(/psql .*-U postgres/g)).toHaveLength(2);
  });
});

describe('advice about a folder', () => {
  const backups = '/data/uploads/backups';
  const failed = (folder: string, reason: string): Problem => ({
    kind: 'backup-failed',
    database,
    purpose: 'manual',
    obstacle: { kind: 'folder', folder, reason },
  });

  it('gives no folder away that is not the backup folder, and none that is read-only', () => {
    expect(optionsOf(failed(backups, 'EACCES'), commandsOf(['backup', 'create']))).toContain(
      `mkdir -p ${backups} && chown -R`,
    );
    for (const problem of [failed('/root', 'EACCES'), failed(backups, 'EROFS: read-only file system')]) {
      expect(optionsOf(problem, commandsOf(['backup', 'create', '--output', '/root']))).not.toContain('chown');
    }
    const file = { kind: 'file-access-denied', file: '/data/a.db', user: 'uid 0', reason: 'EROFS: no' } as const;
    expect(optionsOf(file, commandsOf([]))).not.toContain('chown');
  });

  it('gives a SQLite file that may not be read to the user of db-init', () => {
    const sqlite = { DATABASE_URL: 'sqlite:////data/app.db' };
    const problem = { kind: 'unreadable', database: '/data/app.db', reason: 'EACCES: permission denied' } as const;
    expect(optionsOf(problem, commandsOf(['status'], sqlite))).toMatch(
      /chown -R \S+ \/data\n {2}\.\/entrypoint status$/m,
    );
    expect(optionsOf({ ...problem, reason: 'damaged' }, commandsOf(['status'], sqlite))).not.toContain('chown');
  });

  it('tells the free space as it is, and prunes only where backups are pruned', () => {
    const full = (folder: string): Problem => ({
      kind: 'backup-failed',
      database,
      purpose: 'manual',
      obstacle: { kind: 'no-space', folder, needed: 19_300_000, free: 120_000 },
    });
    const notice = describeProblem(full(backups), commandsOf(['backup', 'create']));
    expect(notice.happened.join()).toContain('19.3 MB may be needed, 120.0 kB are free.');
    expect(notice.options.join()).toContain('backup prune --keep 3');
    const elsewhere = optionsOf(full('/mnt'), commandsOf(['backup', 'create', '--output', '/mnt']));
    expect(elsewhere).not.toContain('prune');
    expect(elsewhere).toContain('./entrypoint backup create --output /mnt');
  });
});
