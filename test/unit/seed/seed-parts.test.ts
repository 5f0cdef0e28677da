import { describe, expect, it } from 'vitest';
import {
  dateText,
  dayOf,
  knownZone,
  minuteText,
  readMinute,
  timestampText,
  wallClock,
  workingDays,
  workingDaysAtLeast,
} from '../../../src/seed/calendar.ts';
import { readSeedOptions } from '../../../src/seed/options.ts';
import { hashPassword } from '../../../src/seed/password.ts';
import { randomFor } from '../../../src/seed/random.ts';
import { noCounts } from '../../../src/seed/tables.ts';
import { renderCounts } from '../../../src/report/development-messages.ts';

const options = (given: Readonly<Record<string, string>> = {}, ...flags: readonly string[]) =>
  readSeedOptions(new Map(Object.entries(given)), new Set(flags));

describe('readSeedOptions', () => {
  it('has defaults', () => {
    expect(options()).toMatchObject({ users: 4, clients: 20, timeEntries: 1500, daysBack: 120, currencies: true });
    expect(options({}, 'no-currencies', 'no-expense-categories')).toMatchObject({
      currencies: false,
      expenseCategories: false,
    });
  });

  it.each([
    ['eight for each task', { clients: '1' }, 384],
    ['none without tasks', { clients: '0' }, 0],
    ['six for each working day of everybody', { 'days-back': '8' }, 120],
    ['six on a weekend', { 'days-back': '1', users: '2' }, 12],
  ])('has as many time entries as fit: %s', (_, given, expected) => {
    expect(options(given).timeEntries).toBe(expected);
  });

  it('has room for 20000 over 40 users', () => {
    expect(options({ users: '40', 'time-entries': '20000' })).toMatchObject({ timeEntries: 20_000 });
  });

  it('names every wrong option', () => {
    expect(() => options({ users: '0', clients: 'x', 'time-entries': '3000' })).toThrow(
      expect.objectContaining({
        problem: {
          kind: 'usage',
          message: expect.stringMatching(
            /--users .* 1 to 500, not 0; --clients .* not x; 3000 time entries do not fit.* 2040\)/,
          ),
        },
      }),
    );
  });
});

describe('the calendar', () => {
  const friday = dayOf(Date.UTC(2025, 2, 7));

  it('lists the working days before today', () => {
    expect(workingDays(friday, 7).map(dateText)).toEqual([
      '2025-02-28',
      '2025-03-03',
      '2025-03-04',
      '2025-03-05',
      '2025-03-06',
    ]);
    expect(workingDays(friday + 3, 2).map(dateText)).toEqual(['2025-03-08', '2025-03-09']);
  });

  it('counts no more of them than exist before any day', () => {
    for (let count = 1; count <= 40; count++) {
      const lengths = Array.from({ length: 7 }, (_, day) => workingDays(friday + day, count).length);
      expect(Math.min(...lengths)).toBeGreaterThanOrEqual(workingDaysAtLeast(count));
    }
  });

  it('reads local times', () => {
    const now = new Date('2025-01-01T00:30:15.250Z');
    expect(timestampText(wallClock(now, 'America/New_York'))).toBe('2024-12-31 19:30:15.250000');
    expect(timestampText(wallClock(now, 'Asia/Kathmandu'))).toBe('2025-01-01 06:15:15.250000');
    expect(timestampText(wallClock(now, 'UTC'))).toBe('2025-01-01 00:30:15.250000');
  });

  it('uses the time zone of the machine by default', () => {
    const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
    expect([knownZone('Europe/Rome'), knownZone('Nowhere/Land'), knownZone('')]).toEqual(['Europe/Rome', own, own]);
  });

  it.each(['2025-03-07 09:15:00', '2025-03-07 09:15:59.123456'])('reads %s', (text) => {
    expect(minuteText(readMinute(text))).toBe('2025-03-07 09:15:00.000000');
    expect(() => readMinute('yesterday')).toThrow(TypeError);
  });
});

describe('hashPassword', () => {
  it('makes the hash of the application for the same password and salt', async () => {
    expect(await hashPassword('dev', 'IpGtPjJulok4dXdu')).toBe(
      'scrypt:32768:8:1$IpGtPjJulok4dXdu$6a7d9f79db91c857abacdf6706d2047d3c71e9b0c09bafc55bbf4bbda5475e3a' +
        'ab5d65bd035ec1c5b4c91d1911e073c511af6a5075dca98dab8ab3d03908221d',
    );
  });

  it('uses a new salt each time', async () => {
    const [one, other] = await Promise.all([hashPassword('dev'), hashPassword('dev')]);
    expect(one).toMatch(/^scrypt:32768:8:1\$[A-Za-z0-9]{16}\$[0-9a-f]{128}$/);
    expect(one).not.toBe(other);
  });
});

describe('diceOf', () => {
  it('reaches both limits, and no number beyond', () => {
    const random = randomFor(1)('test', 1);
    const thrown = new Set(Array.from({ length: 200 }, () => random.whole(1, 6)));
    expect([...thrown].toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(() => random.pick([])).toThrow(RangeError);
  });
});

describe('renderCounts', () => {
  it('is a table with a sum', () => {
    const text = renderCounts({ ...noCounts(), users: 4, time_entries: 1500 });
    expect(text).toMatch(/^ {2}users +4\n/);
    expect(text).toMatch(/ {2}time_entries +1500\n/);
    expect(text).toMatch(/1504 rows added\.\n$/);
    expect(renderCounts(noCounts())).toContain('nothing was added');
  });
});
