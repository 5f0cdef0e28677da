import { printable } from '../platform/printable.ts';
import type { ArchiveObject } from '../errors/obstacles.ts';
import type { Engine } from '../model/engine.ts';
import type { Loaded, Misfits } from '../model/transfer.ts';
import { count, formatBytes } from './format.ts';

interface Line {
  readonly level: 'info' | 'warn';
  readonly sentence: string;
}

const conversions = {
  word: 'truth values that were written as words',
  'label-case': 'words of an enumeration that were written in another case',
  'midnight-of-date': 'times that were written as a date alone, and are its midnight',
  rounded: 'numbers that had more digits than the column keeps, and were rounded as the application shows them',
  offset: 'times with an offset from UTC, which is left out: the hour does not change',
  'date-of-midnight': 'dates that were written with the time 00:00',
  'text-of-bytes': 'texts that were kept as bytes',
  'text-of-number': 'numbers in columns of text',
} as const satisfies Record<Loaded['conversions'][number]['conversion'], string>;

/** The reason in the label of a quarantine schema with rows that were set aside. */
export const labelOfMisfits = 'rows of a SQLite database that PostgreSQL cannot store';

/** What was loaded out of a SQLite database, and what became of it. */
export function describeLoaded({
  engine,
  tables,
  rows,
  bytes,
  seconds,
  conversions: made,
  extras,
  aside,
}: Loaded): readonly Line[] {
  const converted = Object.entries(conversions).flatMap(([conversion, words]) => {
    const found = made.filter((each) => each.conversion === conversion);
    const values = found.reduce((sum, each) => sum + each.values, 0);
    if (values === 0) return [];
    return [`  converted: ${values} ${words} (${listShort(found.map(({ column }) => column))}).`];
  });
  const brought = [
    ...(extras.tables.length > 0 ? [`tables ${listShort(extras.tables)}`] : []),
    ...(extras.columns.length > 0 ? [`columns ${listShort(extras.columns)}`] : []),
  ];
  return [
    info(
      `Loaded ${count(rows, 'row')} of ${count(tables, 'table')}, ${formatBytes(bytes)} in ${seconds.toFixed(1)} s. The ` +
        `number of rows and the checksums of all columns are the same in ${engineNames[engine]}.`,
    ),
    ...converted.map(info),
    ...(brought.length > 0
      ? [
          warn(
            `Not TimeTracker's, and copied as plain columns, without keys, indexes and defaults: ${brought.join('; ')}.`,
          ),
        ]
      : []),
    ...(aside === null
      ? []
      : [
          warn(
            `Set aside in ${engine === 'sqlite' ? `tables ${aside.quarantine}_…` : `schema ${aside.quarantine}`}, whole and with the ` +
              `reason, because ${engineNames[engine]} cannot store them:`,
          ),
          ...aside.misfits.flatMap(describeMisfits).map(warn),
        ]),
  ];
}

/** What the engines are called. */
export const engineNames = { postgresql: 'PostgreSQL', sqlite: 'SQLite' } as const satisfies Record<Engine, string>;

const info = (sentence: string): Line => ({ level: 'info', sentence });
const warn = (sentence: string): Line => ({ level: 'warn', sentence });

const listed = 5;

function listShort(names: readonly string[]): string {
  const more = names.length - listed;
  return `${names.slice(0, listed).map(printable).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** What is wrong with rows that do not fit: a line for each reason, then some of the rows. */
export function describeMisfits({ table, columns, rule, expected, rows, examples }: Misfits): readonly string[] {
  const where = columns.length === 0 ? table : `${table}.${columns.join(', ')}`;
  return [
    `  ${printable(where)}: ${count(rows, 'row')} ${rows === 1 ? reasons[rule][0] : reasons[rule][1]}${needsRule.has(rule) ? ` (${expected})` : ''}`,
    ...examples.map(
      ({ key, value }) => `    key ${printable(key)}: ${value === null ? '(not shown)' : printable(value)}`,
    ),
    ...(rows > examples.length ? [`    and ${rows - examples.length} more`] : []),
  ];
}

const needsRule: ReadonlySet<Misfits['rule']> = new Set([
  'integer',
  'range',
  'digits',
  'number',
  'length',
  'label',
  'json',
  'jsonb',
  'unique',
  'check',
  'reference',
  'follows',
]);

/** Of one row, and of several. */
const reasons = {
  null: ['has no value, which is required', 'have no value, which is required'],
  boolean: ['has neither true nor false', 'have neither true nor false'],
  integer: ['has no whole number', 'have no whole number'],
  number: ['has no number', 'have no number'],
  range: ['has a number that is too large', 'have a number that is too large'],
  digits: ['has a number of more digits than SQLite keeps', 'have a number of more digits than SQLite keeps'],
  timestamp: ['has no date and time', 'have no date and time'],
  date: ['has no date', 'have no date'],
  time: ['has no time of day', 'have no time of day'],
  interval: ['has no period of time', 'have no period of time'],
  length: ['has a text that is too long', 'have a text that is too long'],
  nul: ['has a text with a NUL in it', 'have a text with a NUL in it'],
  encoding: ['has a text that is no UTF-8', 'have a text that is no UTF-8'],
  binary: ['has bytes instead of a text', 'have bytes instead of a text'],
  json: ['has a text that is no JSON', 'have a text that is no JSON'],
  jsonb: ['has JSON that this type does not keep whole', 'have JSON that this type does not keep whole'],
  label: ['has a word that is none of the type', 'have a word that is none of the type'],
  unique: ['repeats a value that only one row may have', 'repeat a value that only one row may have'],
  check: ['breaks a check', 'break a check'],
  reference: ['refers to a row that is not there', 'refer to a row that is not there'],
  follows: ['refers to a row that does not fit', 'refer to a row that does not fit'],
} as const satisfies Record<Misfits['rule'], readonly [string, string]>;

/** The objects that do not come along into the other engine, a line for each. */
export function describeLeftOut(engine: Engine, objects: readonly ArchiveObject[]): readonly string[] {
  if (objects.length === 0) return [];
  return [
    `Only rows are copied into ${engineNames[engine]}. These objects are not TimeTracker's, and are left out:`,
    ...objects.map(({ type, name }) => `  ${printable(type.toLowerCase())} ${printable(name)}`),
  ];
}

/** How many rows do not fit, in so many tables. */
export function countMisfits(misfits: readonly Misfits[]): string {
  const rows = misfits.reduce((sum, each) => sum + each.rows, 0);
  return `${count(rows, 'row')} in ${listShort([...new Set(misfits.map(({ table }) => table))])}`;
}
