import { timeInName } from '../platform/local-time.ts';

/** The name of a quarantine schema that is created now: `tt_quarantine_20260102t030405`. */
export const quarantineNameAt = (now: Date): string => `tt_quarantine_${timeInName(now, 't')}`;

/**
 * The quarantine for the rows that a restore sets aside: it has the time of the restore.
 * @param incoming the database, schema or file that the restore loads: it ends with `_<date>_<time>`
 */
export function quarantineNameOfRestore(incoming: string): string {
  const [, day = '', time = ''] = /_(\d{8})_(\d{6}(?:_\d+)?)$/.exec(incoming) ?? [];
  return `tt_quarantine_${day}t${time}`;
}

const pattern = String.raw`tt_quarantine_\d{8}t\d{6}(?:_\d+)?`;

export const isQuarantineName = (schema: string): boolean => new RegExp(`^${pattern}$`).test(schema);

/**
 * The name of the table with rows that were set aside in a SQLite file: `tt_quarantine_<time>_<table>`. On PostgreSQL
 * it is the table in the schema `tt_quarantine_<time>`.
 */
export const asideTableName = (quarantine: string, table: string): string => `${quarantine}_${table}`;

/** The parts of `asideTableName`; null for another table. */
export function parseAsideTable(name: string): { readonly quarantine: string; readonly table: string } | null {
  const [, quarantine, table] = new RegExp(`^(${pattern})_([^]+)$`).exec(name) ?? [];
  return quarantine === undefined || table === undefined ? null : { quarantine, table };
}

/** The time in the name of a quarantine: `…quarantine_20260102t030405` → `2026-01-02T03:04:05Z`. */
export function timeInQuarantineName(name: string): string {
  const time = /quarantine_(\d{4})(\d\d)(\d\d)t(\d\d)(\d\d)(\d\d)/.exec(name);
  if (time === null) return '';
  const [, year, month, day, hour, minute, second] = time;
  const instant = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}`);
  return Number.isNaN(instant.getTime()) ? '' : instant.toISOString().replace('.000Z', 'Z');
}
