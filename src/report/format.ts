/** `1 row`, `2 rows` */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** Bytes in the unit that suits them, by powers of 1000. */
export function formatBytes(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1);
  return `${power === 0 ? bytes : (bytes / 1000 ** power).toFixed(1)} ${units[power] ?? ''}`;
}

/** How long ago something was, in the unit that suits it: `5 hours`. */
export function formatAge(made: Date, now = new Date()): string {
  const minutes = Math.max(0, Math.floor((now.getTime() - made.getTime()) / 60_000));
  if (minutes < 120) return count(minutes, 'minute');
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? count(hours, 'hour') : count(Math.floor(hours / 24), 'day');
}

/** A duration in milliseconds or seconds: `340 ms`, `1.2 s`. */
export function formatMilliseconds(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

/** How many names are listed; the rest is counted. */
const mostNames = 10;

/** The entries of a list; of a long one its beginning, and how many are left out: `mark` stands before that. */
export function shortenList(entries: readonly string[], mark = ''): readonly string[] {
  const more = entries.length > mostNames ? [`${mark}${entries.length - mostNames} more`] : [];
  return [...entries.slice(0, mostNames), ...more];
}

/** The same in one line. */
export function list(names: readonly string[], separator = ', '): string {
  return shortenList(names).join(separator);
}

/** Rows of alembic_version, for a message. */
export function listRows(rows: readonly string[], separator = ' with '): string {
  return list(rows.map(legible), separator);
}

/** Shortens a row: in a damaged database it may have any length. */
function legible(row: string): string {
  return row.length > 100 ? `${row.slice(0, 100)}…` : row;
}

/** Several alternative sets of rows. */
export function listSets(sets: readonly (readonly string[])[]): string {
  return list(
    sets.map((rows) => listRows(rows)),
    ' or ',
  );
}
