/** A date, a time or both, read from text. */
interface Moment {
  /** `2026-01-02`; null for a time alone. */
  readonly date: string | null;
  /** `03:04:05.6`, without zeros at the end; null for a date alone. */
  readonly time: string | null;
  /** Whether the text has an offset from UTC. */
  readonly offset: boolean;
}

const shape =
  /^(?:(\d{4}-\d\d-\d\d)(?:[ T]|$))?(?:(\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?( ?(?:Z|[+-]\d\d(?::?\d\d(?::?\d\d)?)?))?)?$/;

/**
 * Reads a date, a time or both as SQLAlchemy and SQLite write them: with a space or a `T` between the two; seconds,
 * fraction and offset are optional.
 * @returns null if the text is none of these, or has digits below the microsecond, which PostgreSQL does not hold
 */
export function parseMoment(text: string): Moment | null {
  const [found, date, minutes, seconds = '00', fraction = '', offset] = shape.exec(text) ?? [];
  if (found === undefined || found === '' || /[ T]$/.test(found)) return null;
  if (date !== undefined && !isDay(date)) return null;
  if (minutes !== undefined && (minutes.slice(0, 2) > '23' || minutes.slice(3) > '59' || seconds > '59')) return null;
  if (minutes === undefined && offset !== undefined) return null;
  if (/[1-9]/.test(fraction.slice(6))) return null;
  const parts = fraction.slice(0, 6).replace(/0+$/, '');
  const time = minutes === undefined ? null : `${minutes}:${seconds}${parts === '' ? '' : `.${parts}`}`;
  return { date: date ?? null, time, offset: offset !== undefined };
}

const days = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function isDay(date: string): boolean {
  const [year, month, day] = [Number(date.slice(0, 4)), Number(date.slice(5, 7)), Number(date.slice(8))];
  if (year === 0 || day === 0 || day > (days[month - 1] ?? 0)) return false;
  return month !== 2 || day < 29 || (year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0));
}

export const midnight = '00:00:00';

/**
 * Prints the time from the start of 1970 to a date and time as PostgreSQL prints an interval: on SQLite, SQLAlchemy
 * stores an interval as such a date and time.
 */
export function printInterval(date: string, time: string): string {
  const count = Math.round(Date.parse(`${date}T00:00:00Z`) / 86_400_000);
  if (count === 0) return time;
  // PostgreSQL prints "days" for every number but 1, so also for -1
  const whole = `${count} day${count === 1 ? '' : 's'}`;
  if (time === midnight) return whole;
  return `${whole} ${count < 0 ? '+' : ''}${time}`;
}
