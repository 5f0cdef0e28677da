import { describe, expect, it } from 'vitest';
import { exitCodeOf } from '../../../src/errors/failure.ts';
import type { ArchiveFault, Contents, OtherFile } from '../../../src/errors/obstacles.ts';
import { listObjects } from '../../../src/report/archive-messages.ts';
import { describeProblem } from '../../../src/report/error-messages.ts';
import { commandsOf, sqliteAddress } from '../../support/commands.ts';

const textOf = (fault: ArchiveFault, archive = '/data/uploads/backups/a.zip', atStart = false): string => {
  const commands = commandsOf('file' in fault && fault.file.kind === 'sqlite' ? sqliteAddress : undefined);
  const problem = { kind: 'archive-rejected', archive, fault, atStart } as const;
  const { title, happened, safe, options } = describeProblem(problem, commands);
  return [title, ...happened, safe, ...options].join('\n');
};

const sql = { kind: 'sql', dialect: 'postgresql', packed: false, apart: false } as const;

const contents: readonly Contents[] = [
  { kind: 'data-directory', path: 'data/', major: 16 },
  { kind: 'data-directory', path: '', major: null },
  { kind: 'unpacked-archive', path: 'a/' },
  { kind: 'dump-directory', path: '' },
  { kind: 'backups', paths: ['a.zip', 'b.zip'], logs: [] },
  { kind: 'uploads', roots: ['uploads'] },
  { kind: 'export' },
  { kind: 'unknown', count: 2, names: ['a'] },
];

const others: readonly OtherFile[] = [
  sql,
  { ...sql, packed: true, apart: true },
  { ...sql, dialect: 'sqlite' },
  { kind: 'dump', packed: false },
  { kind: 'dump', packed: true },
  { kind: 'sqlite' },
  ...(['json-backup', 'json-export', 'json', 'csv'] as const).map((format) => ({ kind: 'export', format }) as const),
  ...(['none', 'zip', 'tar', 'tar.gz'] as const).flatMap((packing) =>
    contents.map((held) => ({ kind: 'folder', packing, contents: held }) as const),
  ),
];

const wrappings = ['gzip', 'bzip2', 'xz', 'zstd', 'lz4', '7z', 'rar', 'utf-16', 'encrypted'] as const;

const faults: readonly ArchiveFault[] = [
  { kind: 'missing', places: ['/app/a.zip', '/data/uploads/backups/a.zip'] },
  { kind: 'invalid', defect: { kind: 'not-zip' } },
  { kind: 'unusable', reason: { kind: 'unknown-revisions', revisions: ['999'] } },
  { kind: 'access' },
  { kind: 'no-tool', tool: { kind: 'psql', newest: null } },
  { kind: 'too-large', exceeded: { kind: 'entries', entries: 8, limit: 7 } },
  { kind: 'piece' },
  ...others.map((file) => ({ kind: 'other-format', file }) as const),
  ...wrappings.map((by) => ({ kind: 'wrapped', by }) as const),
];

describe('the list of objects that TimeTracker does not make', () => {
  it('names some of each kind, code first, and counts the others', () => {
    const named = (type: string, count: number) =>
      Array.from({ length: count }, (_, number) => ({ type, name: `${type}${number + 1}`, statement: 'SELECT 1' }));
    const all = [...named('TABLE', 1800), ...named('VIEW', 6), ...named('', 7), ...named('FUNCTION', 1)];
    expect(listObjects(all).map((line) => line.replace(/:.*/, ''))).toEqual([
      '- function FUNCTION1',
      ...[1, 2, 3, 4, 5].map((number) => `- view VIEW${number}`),
      '- and 1 more of the kind view',
      ...[1, 2, 3, 4, 5].map((number) => `- table TABLE${number}`),
      '- and 1795 more of the kind table',
      ...Array.from({ length: 5 }, () => '- SELECT 1'),
      '- and 2 more statements',
    ]);
    const kinds = Array.from({ length: 1000 }, (_, number) => named(`KIND ${number}`, 1)).flat();
    expect(listObjects(kinds)).toHaveLength(41);
  });
});

describe('an archive that is rejected', () => {
  it.each(['not-utf8', 'backslash'] as const)('is to be packed again if a name in it has the defect %s', (defect) => {
    const text = textOf({ kind: 'invalid', defect: { kind: 'name', name: 'uploads/a.png', defect } });
    expect(text).toContain('restore the original');
    expect(text).not.toContain('sha256sum');
  });

  it('does not change the name of its manifest at the beginning of a sentence', () => {
    const text = textOf({ kind: 'invalid', defect: { kind: 'manifest', defect: 'not-a-manifest' } });
    expect(text).toContain('Its manifest.json is not what the application writes.');
  });

  it.each(faults)('has a message that says what is safe and what to do: $kind', (fault) => {
    const text = textOf(fault);
    expect(exitCodeOf({ kind: 'archive-rejected', archive: 'a', fault })).toBe(32);
    expect(text).toContain('/data/uploads/backups/a.zip');
    expect(text).toContain('nothing was changed');
    expect(text).toMatch(/docker compose|sqlite3/);
    expect(text).not.toMatch(/undefined|\.\./);
  });

  it('says how to start without it, if a start asked for it', () => {
    const fault = { kind: 'invalid', defect: { kind: 'not-zip' } } as const;
    expect(textOf(fault, 'a.zip', true)).toContain('remove TT_RESTORE_FROM from .env');
    expect(textOf(fault)).not.toContain('remove TT_RESTORE_FROM');
  });

  it('names the variable that would accept it', () => {
    expect(textOf({ kind: 'too-large', exceeded: { kind: 'ratio', limit: 200 } })).toContain(
      'raise TT_ARCHIVE_MAX_RATIO in .env',
    );
  });
});

describe('a file that other programs restore', () => {
  const linesOf = (file: OtherFile, archive?: string): string =>
    textOf({ kind: 'other-format', file }, archive)
      .split('\n')
      .filter((line) => line.startsWith('  '))
      .join('\n');

  it.each([
    [sql, 'psql -U timetracker -q -v ON_ERROR_STOP=1 --single-transaction -d timetracker_restored'],
    [
      { kind: 'dump', packed: false },
      'pg_restore -U timetracker --exit-on-error --single-transaction --no-owner -d timetracker_restored',
    ],
  ] as const)('replaces the live database only after it is restored: $0.kind', (file, reading) => {
    const text = linesOf(file, '/data/my.file');
    expect(text).toContain(
      `\n  docker compose exec -T db ${reading} < my.file && \\\n  docker compose stop app && \\\n`,
    );
    expect(linesOf({ ...file, packed: true }, '/data/my.gz')).toContain(
      `\n  gunzip -c my.gz | docker compose exec -T db ${reading} && \\\n`,
    );
    expect(text).toContain('ALTER DATABASE "timetracker" RENAME TO "timetracker_before"');
    expect(text).toMatch(/RENAME TO "timetracker"' && \\\n {2}docker compose up -d\n/);
  });

  it('brings the log of a SQLite file along, because it holds rows', () => {
    const volume = { kind: 'backups', paths: ['data/tt.db'], logs: ['data/tt.db-wal'] } as const;
    const text = linesOf({ kind: 'folder', packing: 'tar.gz', contents: volume });
    expect(text).toMatch(
      /tt\.db-wal' < unpacked\/data\/tt\.db-wal && .*tt\.db' < unpacked\/data\/tt\.db && .*restore tt\.db\n/s,
    );
  });

  it('is quoted in commands for a shell', () => {
    const text = linesOf({ kind: 'dump', packed: false }, "/data/a'; rm -rf $HOME #.dump");
    expect(text).toContain(String.raw` < 'a'\''; rm -rf $HOME #.dump' `);
  });
});
