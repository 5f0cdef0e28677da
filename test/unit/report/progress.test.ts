import { describe, expect, it } from 'vitest';
import { openOutput } from '../../../src/report/output.ts';
import { openProgress } from '../../../src/report/progress.ts';

interface Setting {
  readonly terminal: boolean;
  readonly plain: boolean;
  readonly label: string;
  readonly unit: 'bytes' | 'revisions';
}

/** A stopped clock that the test moves, and all printed lines. */
function setting(
  total: number | null,
  { terminal = false, plain = false, label = 'Copying', unit = 'bytes' }: Partial<Setting> = {},
) {
  const entries: string[] = [];
  let screen = '';
  let time = 0;
  const streams = {
    stdout: { write: (text: string) => void (screen += text) },
    stderr: { write: (text: string) => void (screen += text), isTTY: terminal, columns: 70 },
  };
  const output = openOutput(streams, ['hunter2'], { machine: false, plain });
  const log = { info: (message: string) => void entries.push(message) };
  const progress = openProgress({ label, total, unit, log, output, now: () => time });
  return { entries, output, progress, at: (milliseconds: number) => (time = milliseconds), screen: () => screen };
}

describe('progress in a log', () => {
  it('is logged every five seconds with bytes, percentage and remaining time', () => {
    const { progress, at, entries } = setting(4_000_000_000);
    for (let second = 0; second <= 12; second++) {
      at(second * 1000);
      progress.to(second * 100_000_000);
    }
    expect(entries).toEqual([
      'Copying: 500.0 MB of 4.0 GB, 12 %, 35 s left.',
      'Copying: 1.0 GB of 4.0 GB, 25 %, 30 s left.',
    ]);
  });

  it('is not logged for short work', () => {
    const { progress, at, entries, screen } = setting(100);
    progress.add(50);
    at(900);
    progress.add(50);
    progress.end();
    expect(entries).toEqual([]);
    expect(screen()).toBe('');
  });

  it('is a count if the total is unknown', () => {
    const { progress, at, entries } = setting(null);
    at(5000);
    progress.add(1500);
    expect(entries).toEqual(['Copying: 1.5 kB.']);
  });

  it.each([
    [1, '83 min left'],
    [0.1, '13 h 53 min left'],
    [90, '1 s left'],
  ])('at %s %% after about five seconds is %s', (percent, left) => {
    const { progress, at, entries } = setting(1000);
    at(percent === 1 ? 50_505 : percent === 90 ? 9000 : 50_000);
    progress.to(percent * 10);
    expect(entries[0]).toContain(left);
  });

  it('is not logged for the last bytes, and is never more than the total', () => {
    const { progress, at, entries } = setting(1000);
    at(6000);
    progress.add(990);
    at(12_000);
    progress.add(210);
    expect(entries).toEqual([]);
  });
});

describe('progress on a terminal', () => {
  it('is one line that is rewritten and removed at the end', () => {
    const { progress, at, entries, screen } = setting(1000, { terminal: true });
    at(500);
    progress.to(100);
    expect(screen()).toBe('');
    at(1000);
    progress.to(200);
    at(1100);
    progress.to(300);
    at(1300);
    progress.to(400);
    progress.end();
    expect(screen().split('\r\u001B[K')).toEqual([
      '',
      'Copying [====----------------] 200 bytes of 1.0 kB, 20 %, 4 s left',
      'Copying [========------------] 400 bytes of 1.0 kB, 40 %, 2 s left',
      '',
    ]);
    expect(entries).toEqual([]);
  });

  it('is cleared before other lines are written', () => {
    const { progress, output, at, screen } = setting(1000, { terminal: true });
    at(1000);
    progress.to(200);
    output.log('a line of the log\n');
    output.log('another\n');
    expect(screen().endsWith('left\r\u001B[Ka line of the log\nanother\n')).toBe(true);
  });

  it('is shown again during each revision, after every line of the log', () => {
    const { progress, output, screen } = setting(3, { terminal: true, label: 'Migrating', unit: 'revisions' });
    progress.to(0);
    output.log('1/3 001\n');
    progress.to(1);
    output.log('2/3 002\n');
    progress.end();
    expect(screen().split('\r\u001B[K')).toEqual([
      '',
      'Migrating [--------------------] 0 of 3 revisions',
      '1/3 001\n',
      'Migrating [=======-------------] 1 of 3 revisions',
      '2/3 002\n',
    ]);
  });

  it.each([
    ['with NO_COLOR', { terminal: true, plain: true }],
    ['without a terminal', {}],
  ])('is not shown %s', (_, given) => {
    const bytes = setting(1000, given);
    bytes.at(6000);
    bytes.progress.to(200);
    expect(bytes).toMatchObject({ entries: ['Copying: 200 bytes of 1.0 kB, 20 %, 24 s left.'] });
    expect(bytes.screen()).toBe('');
    const revisions = setting(3, { ...given, unit: 'revisions' });
    revisions.at(6000);
    revisions.progress.to(1);
    expect(revisions.entries).toEqual([]);
    expect(revisions.screen()).toBe('');
  });

  it('contains no secret, and is not wider than the terminal', () => {
    const { progress, at, screen } = setting(1000, { terminal: true, label: `hunter2 ${'x'.repeat(100)}` });
    at(1000);
    progress.to(200);
    expect(screen()).not.toContain('hunter2');
    expect(screen()).toHaveLength('\r\u001B[K'.length + 69);
  });
});
