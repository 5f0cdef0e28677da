/** A calendar day as the number of days since 1970-01-01, independent of time zones. */
export type Day = number;

/** A local time, as minutes since 1970-01-01 00:00 local time. */
export type Minute = number;

const minutesOfDay = 24 * 60;
const millisecondsOfDay = minutesOfDay * 60_000;

/** The local time in a time zone, as milliseconds since 1970-01-01 00:00 local time. */
export function wallClock(now: Date, zone: string): number {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    dateStyle: 'short',
    timeStyle: 'medium',
    hourCycle: 'h23',
  }).formatToParts(now);
  const part = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.find((each) => each.type === type)?.value);
  const date = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
  return date + now.getMilliseconds();
}

/** Returns the time zone if this machine knows it, otherwise the machine's own. */
export function knownZone(zone: string | null): string {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone === null) return own;
  try {
    return Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone;
  } catch {
    return own;
  }
}

/** The day of a local time in milliseconds. */
export const dayOf = (milliseconds: number): Day => Math.floor(milliseconds / millisecondsOfDay);

/** The local time of a minute of a day. */
export const minuteOf = (day: Day, minute: number): Minute => day * minutesOfDay + minute;

/** 1970-01-01 was a Thursday. */
const isWeekend = (day: Day): boolean => [0, 6].includes((((day + 4) % 7) + 7) % 7);

/** The working days among the last `count` days before today, or all of these days if none is a working day. */
export function workingDays(today: Day, count: number): readonly Day[] {
  const days = Array.from({ length: count }, (_, index) => today - count + index);
  const working = days.filter((day) => !isWeekend(day));
  return working.length > 0 ? working : days;
}

/** The smallest number of days that `workingDays` returns for `count`, for any weekday of today. */
export function workingDaysAtLeast(count: number): number {
  return Math.max(5 * Math.floor(count / 7) + Math.max(0, (count % 7) - 2), 1);
}

/** The day as a date: `2025-03-04`. */
export const dateText = (day: Day): string => new Date(day * millisecondsOfDay).toISOString().slice(0, 10);

/** A timestamp as the application writes it into SQLite, which PostgreSQL also reads: `2025-03-04 09:15:00.000000`. */
export const timestampText = (milliseconds: number): string =>
  `${new Date(milliseconds).toISOString().replace('T', ' ').replace('Z', '')}000`;

/** A local time as a timestamp in the same format. */
export const minuteText = (minute: Minute): string => timestampText(minute * 60_000);

/** Parses a timestamp that either engine has returned. @throws TypeError if it is not a timestamp */
export function readMinute(text: string): Minute {
  const milliseconds = Date.parse(`${text.slice(0, 19).replace(' ', 'T')}Z`);
  if (Number.isNaN(milliseconds)) throw new TypeError(`${text} is not a timestamp`);
  return Math.floor(milliseconds / 60_000);
}
