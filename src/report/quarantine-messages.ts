import type { OtherSession } from '../model/database-facts.ts';
import type { QuarantineObstacle } from '../errors/obstacles.ts';
import type { QuarantineEntry } from '../quarantine/entry.ts';
import { printable } from '../platform/printable.ts';
import type { Notice } from './banner.ts';
import type { Commands } from './commands.ts';
import type { Log } from './log.ts';
import { count, formatBytes } from './format.ts';
import { zonedTime } from '../platform/local-time.ts';

/** What a quarantine holds, in short: `12 relations with 3400 rows (1.2 MB)`. */
export function summariseEntries({
  relations,
  rows,
  bytes,
}: Pick<QuarantineEntry, 'relations' | 'rows' | 'bytes'>): string {
  const what = relations === null ? 'unreadable content' : count(relations, 'relation');
  return `${what}${rows === null ? '' : ` with ${count(rows, 'row')}`} (${formatBytes(bytes)})`;
}

/** `quarantine list` for people. */
export function renderEntries(held: readonly QuarantineEntry[]): string {
  if (held.length === 0) return 'Nothing is in quarantine.\n';
  return held
    .map((entry) =>
      [
        `${entry.name}: ${entry.state}, since ${zonedTime(entry.since)}, ${summariseEntries(entry)}`,
        `  why: ${entry.why}`,
        ...entry.contents.map(
          ({ kind, name, rows }) => `  ${kind.padEnd(17)} ${name}${rows === null ? '' : ` (${count(rows, 'row')})`}`,
        ),
        '',
      ]
        .map(printable)
        .join('\n'),
    )
    .join('\n');
}

/** Other sessions, with the facts by which a person finds them. */
export function listSessions(others: readonly OtherSession[]): string {
  return others
    .map(({ pid, application, user, client }) => `pid ${pid} (${application || 'unnamed'}, ${user}, from ${client})`)
    .join('; ');
}

/** Why nothing was moved to quarantine, restored from it, or deleted. */
export function describeQuarantineObstacle(database: string, obstacle: QuarantineObstacle, commands: Commands): Notice {
  const safe = 'nothing was dropped, and no row was changed.';
  switch (obstacle.kind) {
    case 'others-are-connected':
      return {
        title: `Other sessions are connected to this database: ${database}`,
        happened: [`Nothing is moved while other sessions may use it: ${listSessions(obstacle.others)}.`],
        safe,
        options: [
          `Stop the connected programs, then start again. Tables that were moved before stay in quarantine.\n${commands.stop}`,
        ],
      };
    case 'file-in-use':
      return {
        title: `Another program is using the file: ${database}`,
        happened: [`db-init could not get an exclusive lock on ${obstacle.file}.`],
        safe,
        options: [`Stop the program that uses it, then start again.\n${commands.stop}`],
      };
    case 'not-held':
      return {
        title: `There is no quarantine called ${obstacle.name}: ${database}`,
        happened: [obstacle.held.length === 0 ? 'There is no quarantine.' : `There are: ${obstacle.held.join(', ')}.`],
        safe,
        options: [`List the quarantines.\n${commands.run('quarantine', 'list')}`],
      };
    case 'names-taken':
      return {
        title: `${obstacle.name} cannot be brought back: ${database}`,
        happened: [`Other objects have these names now: ${obstacle.names.join(', ')}.`],
        safe,
        options: [
          'Stop the application, move everything that is there now to quarantine as well, then bring this one back.\n' +
            `${commands.stop}\n${commands.putAllAside}\n${commands.run('quarantine', 'restore', obstacle.name)}`,
          'Or rename the objects that have these names now, then bring this one back.\n' +
            `${commands.open}\n${commands.run('quarantine', 'restore', obstacle.name)}`,
        ],
      };
    case 'rows-stay':
      return {
        title: `Rows of ${obstacle.name} still do not fit: ${database}`,
        happened: [
          `${count(obstacle.rows, 'row')} stayed in quarantine. The reasons:`,
          ...obstacle.reasons.map((reason) => `  ${printable(reason)}`),
        ],
        safe: 'rows that fit are back in their tables. The other rows are unchanged in the quarantine.',
        options: [
          `Correct the rows in the tables of ${obstacle.name} (the column tt_reason says what is wrong), then try again.\n` +
            `${commands.open}\n${commands.run('quarantine', 'restore', obstacle.name)}`,
        ],
      };
    case 'depended-upon':
      return {
        title: `${obstacle.name} cannot be deleted: ${database}`,
        happened: [`Objects outside depend on objects in it: ${obstacle.dependents.join(', ')}.`],
        safe,
        options: ['Drop the objects that depend on it, or keep the quarantine: it does no harm.'],
      };
    case 'changed':
      return {
        title: `${obstacle.name} has changed since it was shown: ${database}`,
        happened: [
          'You agreed to delete what was shown. Since then, somebody has added, removed or changed: ' +
            `${obstacle.changed.join(', ')}.`,
        ],
        safe,
        options: [`See what it contains now, then start again.\n${commands.run('quarantine', 'list')}`],
      };
  }
}

/** Logs how to bring back what was moved. Call it after the commit. */
export function announceWayBack(quarantine: string, commands: Commands, log: Log): void {
  log.info('Nothing was dropped. To bring everything back:');
  log.info(commands.run('quarantine', 'restore', quarantine), { quarantine });
}

/** How many of the rows that were set aside are back in their table. */
export function describeReturned(
  { table, returned, left }: { readonly table: string; readonly returned: number; readonly left: number },
  dryRun: boolean,
): string {
  return `  ${printable(table)}: ${count(returned, 'row')} ${dryRun ? 'would be brought back' : 'brought back'}, ${left} left`;
}

type Held = Pick<QuarantineEntry, 'relations' | 'rows' | 'bytes'>;

/** How many names a question lists. */
const mostNames = 10;

/** What the log and the questions of `quarantine` say. */
export const quarantineMessages = {
  rowsInFile: 'rows of a PostgreSQL archive that SQLite cannot store',
  noTable: (table: string): string => `there is no table ${table}`,
  noColumn: (table: string, column: string): string => `the table ${table} has no column ${column}`,
  nothingToMove: 'There is nothing to move: nothing was changed.',
  moved(kind: string, name: string, schema: string, rows: number | null): string {
    return `  moved ${kind.toLowerCase()} ${name} to ${schema}${rows === null ? '' : ` (${count(rows, 'row')})`}`;
  },
  functionsStay: (functions: number, schema: string): string =>
    `  ${count(functions, 'function')} stayed in schema ${schema}: they do not prevent the new schema.`,
  wouldBringBack: (held: Held, name: string): string =>
    `Would bring back ${summariseEntries(held)} from ${name}: nothing was changed.`,
  broughtBack: (kind: string, name: string): string => `  brought back ${kind.toLowerCase()} ${name}`,
  allBack: (name: string, schema: string): string => `Everything from ${name} is in schema ${schema} again.`,
  dropped: (done: number, left: number): string => `  dropped ${done}, ${left} left`,
  stillThere: (name: string): string => `${name} still exists: it contains objects that db-init did not put there.`,
  gone: (name: string): string => `${name} was deleted.`,
  moveConsent(schema: string, names: readonly string[]): string {
    const more = names.length > mostNames ? ` and ${names.length - mostNames} more` : '';
    return `This moves out of schema ${schema}: ${names.slice(0, mostNames).join(', ')}${more}. Nothing is dropped.`;
  },
  purgeConsent: (held: Held, name: string): string => `This DELETES ${summariseEntries(held)} in ${name} for good.`,
  /** Of a SQLite file. */
  noFile: (file: string): string => `There is no file ${file}: nothing was changed.`,
  movedFile: (file: string, name: string, held: Held): string =>
    `  moved ${file} to ${name} (${summariseEntries(held)})`,
  moveFileConsent: (file: string, name: string, held: Held): string =>
    `This moves ${file}, ${summariseEntries(held)}, to ${name} in the same folder. Nothing is deleted.`,
  wouldBringFileBack: (held: Held): string => `Would bring back ${summariseEntries(held)}: nothing was changed.`,
  fileBack: (file: string): string => `${file} is back.`,
};
