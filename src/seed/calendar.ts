/** A day as the number of days since 1970-01-01: days are counted, never converted. */
export type Day = number;

/** A moment on the clock on the wall, as minutes since 1970-01-01 00:00 there. */
export type Minute = number;

const minutesOfDay = 24 * 60;
const millisecondsOfDay = minutesOfDay * 60_000;

/** What the clock on the wall shows in a time zone, as the milliseconds that UTC would have then. */
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

/** The zone itself if this machine knows it, else the machine's own. */
export function knownZone(zone: string | null): string {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone === null) return own;
  try {
    return Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone;
  } catch {
    return own;
  }
}

/** The day to which a moment belongs. */
export const dayOf = (milliseconds: number): Day => Math.floor(milliseconds / millisecondsOfDay);

export const minuteOf = (day: Day, minute: number): Minute => day * minutesOfDay + minute;

/** 1970-01-01 was a Thursday. */
const isWeekend = (day: Day): boolean => [0, 6].includes((((day + 4) % 7) + 7) % 7);

/** The working days among the last `count` days before today; all of them where none is a working day. */
export function workingDays(today: Day, count: number): readonly Day[] {
  const days = Array.from({ length: count }, (_, index) => today - count + index);
  const working = days.filter((day) => !isWeekend(day));
  return working.length > 0 ? working : days;
}

/** How many working days `workingDays` gives at the least, whatever day is today. */
export function workingDaysAtLeast(count: number): number {
  return Math.max(5 * Math.floor(count / 7) + Math.max(0, (count % 7) - 2), 1);
}

/** `2025-03-04` */
export const dateText = (day: Day): string => new Date(day * millisecondsOfDay).toISOString().slice(0, 10);

/** `2025-03-04 09:15:00.000000`, as the application writes timestamps into SQLite; PostgreSQL reads it as well. */
export const timestampText = (milliseconds: number): string =>
  `${new Date(milliseconds).toISOString().replace('T', ' ').replace('Z', '')}000`;

export const minuteText = (minute: Minute): string => timestampText(minute * 60_000);

/** A timestamp as either engine returns it, in minutes. @throws TypeError if it is none */
export function readMinute(text: string): Minute {
  const milliseconds = Date.parse(`${text.slice(0, 19).replace(' ', 'T')}Z`);
  if (Number.isNaN(milliseconds)) throw new TypeError(`${text} is not a timestamp`);
  return Math.floor(milliseconds / 60_000);
}
