import { afterEach, describe, expect, it, vi } from 'vitest';
import { timeInName, zonedTime } from '../../../src/platform/local-time.ts';
import { timeOfDay } from '../../../src/report/log.ts';

afterEach(() => void vi.unstubAllEnvs());

describe('the clock of the log', () => {
  it.each([
    ['UTC', '12:00:01Z'],
    ['Europe/Berlin', '14:00:01+02:00'],
    ['America/St_Johns', '09:30:01-02:30'],
  ])('shows the time in the zone %s, and names the zone', (zone, shown) => {
    vi.stubEnv('TZ', zone);
    const instant = new Date('2026-07-01T12:00:01Z');
    expect(timeOfDay(instant)).toBe(shown);
    expect(zonedTime(instant)).toBe(`2026-07-01 ${shown}`);
    expect(zonedTime('2026-07-01T12:00:01Z')).toBe(`2026-07-01 ${shown}`);
    expect(timeInName(instant, 't')).toBe(`20260701t${shown.slice(0, 8).replaceAll(':', '')}`);
  });
});
