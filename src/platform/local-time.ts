/** Times for people, in logs, lists and names: in the time zone of TZ. Programs get ISO 8601 in UTC. */

/** `2026-02-14T08:30:05` */
export function localTime(instant: Date): string {
  return new Date(instant.getTime() - instant.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

/** The zone's offset from UTC at that instant: `+02:00`; `Z` in UTC. */
export function utcOffset(instant: Date): string {
  const offset = -instant.getTimezoneOffset();
  if (offset === 0) return 'Z';
  const minutes = Math.abs(offset);
  const parts = [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0'));
  return `${offset < 0 ? '-' : '+'}${parts.join(':')}`;
}

/** `2026-02-14 08:30:05+02:00`; a text that is no time stays as it is. */
export function zonedTime(time: Date | string): string {
  const instant = new Date(time);
  return Number.isNaN(instant.getTime()) ? String(time) : localTime(instant).replace('T', ' ') + utcOffset(instant);
}

/** `20260214_083005`, as part of a name. */
export function timeInName(instant: Date, separator: 't' | '_'): string {
  return localTime(instant).replaceAll(/[-:]/g, '').replace('T', separator);
}
