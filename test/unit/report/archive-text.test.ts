import { describe, expect, it } from 'vitest';
import { type ArchiveFault, exitCodeOf } from '../../../src/failure.ts';
import { describeProblem } from '../../../src/report/problems.ts';
import { commandsOf, sqliteAddress } from '../../support/commands.ts';

const textOf = (fault: ArchiveFault, archive = '/data/uploads/backups/a.zip', atStart = false): string => {
  const commands = commandsOf('format' in fault && fault.format === 'sqlite' ? sqliteAddress : undefined);
  const problem = { kind: 'archive-rejected', archive, fault, atStart } as const;
  const { title, happened, safe, options } = describeProblem(problem, commands);
  return [title, ...happened, safe, ...options].join('\n');
};

const faults: readonly ArchiveFault[] = [
  { kind: 'missing', places: ['/app/a.zip', '/data/uploads/backups/a.zip'] },
  { kind: 'invalid', reason: 'it is damaged' },
  { kind: 'unusable', reason: 'it is newer' },
  { kind: 'access', reason: 'the file may not be read' },
  { kind: 'no-tool', reason: 'there is no pg_restore here' },
  { kind: 'too-large', reason: 'it has 8 members', variable: 'TT_ARCHIVE_MAX_ENTRIES' },
  { kind: 'other-format', format: 'sql', packed: false },
  { kind: 'other-format', format: 'sql', packed: true },
  { kind: 'other-format', format: 'dump', packed: false },
  { kind: 'other-format', format: 'dump', packed: true },
  { kind: 'other-format', format: 'sqlite', packed: false },
  ...(['gzip', 'bzip2', 'xz', 'zstd', 'utf-16'] as const).map((by) => ({ kind: 'wrapped', by }) as const),
  { kind: 'other-engine', held: 'sqlite' },
  { kind: 'other-engine', held: 'postgresql' },
];

describe('an archive that is rejected', () => {
  it.each(faults)('is named, with what is safe and what to do: $kind', (fault) => {
    const text = textOf(fault);
    expect(exitCodeOf({ kind: 'archive-rejected', archive: 'a', fault })).toBe(32);
    expect(text).toContain('/data/uploads/backups/a.zip');
    expect(text).toContain('nothing was changed');
    expect(text).toMatch(/docker compose|sqlite3/);
    expect(text).not.toMatch(/undefined|\.\./);
  });

  it('says how to start without it, where a start asked for it', () => {
    const fault = { kind: 'invalid', reason: 'it is damaged' } as const;
    expect(textOf(fault, 'a.zip', true)).toContain('take TT_RESTORE_FROM out of .env');
    expect(textOf(fault)).not.toContain('TT_RESTORE_FROM');
  });

  it('says which variable would let it pass', () => {
    expect(textOf({ kind: 'too-large', reason: 'much', variable: 'TT_ARCHIVE_MAX_RATIO' })).toContain(
      'raise TT_ARCHIVE_MAX_RATIO in .env',
    );
  });
});

describe('a file that other programs restore', () => {
  it.each([
    ['sql', 'psql -U timetracker -v ON_ERROR_STOP=1 --single-transaction -d timetracker < backup.sql'],
    ['dump', 'pg_restore -U timetracker --exit-on-error --single-transaction --no-owner -d timetracker < backup.dump'],
  ] as const)('comes with the commands, which keep the former database: %s', (format, command) => {
    const text = textOf({ kind: 'other-format', format, packed: false });
    expect(text).toContain(`\n  docker compose exec -T db ${command}\n`);
    const [reading, file] = command.split(' < ');
    const packed = textOf({ kind: 'other-format', format, packed: true });
    expect(packed).toContain(`\n  gunzip -c ${file}.gz | docker compose exec -T db ${reading}\n`);
    expect(text).toContain('ALTER DATABASE "timetracker" RENAME TO "timetracker_before"');
    expect(text).not.toMatch(/drop/i);
  });

  it('comes with the commands, which overwrite nothing: sqlite', () => {
    const text = textOf({ kind: 'other-format', format: 'sqlite', packed: false }, "/data/it's a file.db");
    expect(text).toContain(String.raw`cp -n '\''/data/it'\''\'\'''\''s a file.db'\'' /data/timetracker.db'`);
    expect(text).toMatch(/timetracker\.db-wal .*mv "\$f" \/data\/timetracker\.db\.before/);
  });
});
