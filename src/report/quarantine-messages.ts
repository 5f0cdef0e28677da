import type { OtherSession } from '../model/database-facts.ts';
import type { QuarantineObstacle } from '../errors/failure.ts';
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
  const what = relations === null ? 'what cannot be read' : count(relations, 'relation');
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

/** Sessions of others, as a person looks for them. */
export function listSessions(others: readonly OtherSession[]): string {
  return others
    .map(({ pid, application, user, client }) => `pid ${pid} (${application || 'unnamed'}, ${user}, from ${client})`)
    .join('; ');
}

/** Why nothing was put aside, taken back or deleted. */
export function describeQuarantineObstacle(database: string, obstacle: QuarantineObstacle, commands: Commands): Notice {
  const safe = 'nothing was dropped, and no row was changed.';
  switch (obstacle.kind) {
    case 'others-are-connected':
      return {
        title: `Others are connected to this database: ${database}`,
        happened: [`Nothing is moved while it may be in use: ${listSessions(obstacle.others)}.`],
        safe,
        options: [`Stop what is connected, then start again: what was moved before stays moved.\n${commands.stop}`],
      };
    case 'file-in-use':
      return {
        title: `Somebody else is using the file: ${database}`,
        happened: [`The exclusive lock on ${obstacle.file} was not to be had.`],
        safe,
        options: [`Stop what is using it, then start again.\n${commands.stop}`],
      };
    case 'not-held':
      return {
        title: `There is no quarantine called ${obstacle.name}: ${database}`,
        happened: [obstacle.held.length === 0 ? 'There is none at all.' : `There are: ${obstacle.held.join(', ')}.`],
        safe,
        options: [`See what is held.\n${commands.run('quarantine', 'list')}`],
      };
    case 'names-taken':
      return {
        title: `${obstacle.name} cannot be taken back: ${database}`,
        happened: [`These names are in use again: ${obstacle.names.join(', ')}.`],
        safe,
        options: [
          'Put everything that is there now aside as well, then take it back. Stop the application first.\n' +
            `${commands.stop}\n${commands.putAllAside}\n${commands.run('quarantine', 'restore', obstacle.name)}`,
          'Or rename what bears these names now, then take it back.\n' +
            `${commands.open}\n${commands.run('quarantine', 'restore', obstacle.name)}`,
        ],
      };
    case 'rows-stay':
      return {
        title: `Rows of ${obstacle.name} still do not fit: ${database}`,
        happened: [
          `${count(obstacle.rows, 'row')} stayed there, for:`,
          ...obstacle.reasons.map((reason) => `  ${printable(reason)}`),
        ],
        safe: 'rows that fit are back in their tables, the others are as they were, whole, in the quarantine.',
        options: [
          `Mend them there, in the columns that ${obstacle.name} shows (tt_reason says why), then try again.\n` +
            `${commands.open}\n${commands.run('quarantine', 'restore', obstacle.name)}`,
        ],
      };
    case 'depended-upon':
      return {
        title: `${obstacle.name} cannot be deleted: ${database}`,
        happened: [`This lies outside and depends on what is in it: ${obstacle.dependents.join(', ')}.`],
        safe,
        options: ["Drop what depends on it, or leave the quarantine where it is: it is in nobody's way."],
      };
    case 'changed':
      return {
        title: `${obstacle.name} has changed since it was shown: ${database}`,
        happened: [
          'Your consent was for what it held then. Somebody has added, removed or changed since: ' +
            `${obstacle.changed.join(', ')}.`,
        ],
        safe,
        options: [`See what it holds now, then start again.\n${commands.run('quarantine', 'list')}`],
      };
  }
}

/** Logs how to take back what was moved. Call it after the commit. */
export function announceWayBack(quarantine: string, commands: Commands, log: Log): void {
  log.info('Nothing was dropped. To take it back:');
  log.info(commands.run('quarantine', 'restore', quarantine), { quarantine });
}

/** What became of the rows of a table that were set aside. */
export function describeReturned(
  { table, returned, left }: { readonly table: string; readonly returned: number; readonly left: number },
  dryRun: boolean,
): string {
  return `  ${printable(table)}: ${count(returned, 'row')} ${dryRun ? 'would come back' : 'brought back'}, ${left} left`;
}

type Held = Pick<QuarantineEntry, 'relations' | 'rows' | 'bytes'>;

/** Names that are listed in a question. */
const mostNames = 10;

/** What the log and the questions of `quarantine` say. */
export const quarantineMessages = {
  rowsInFile: 'rows of a PostgreSQL archive that SQLite does not hold',
  noTable: (table: string): string => `there is no table ${table}`,
  noColumn: (table: string, column: string): string => `the table ${table} has no column ${column}`,
  nothingToMove: 'There is nothing to move: nothing was changed.',
  moved(kind: string, name: string, schema: string, rows: number | null): string {
    return `  moved ${kind.toLowerCase()} ${name} to ${schema}${rows === null ? '' : ` (${count(rows, 'row')})`}`;
  },
  functionsStay: (functions: number, schema: string): string =>
    `  ${count(functions, 'function')} stayed in schema ${schema}: they are in nobody's way.`,
  wouldBringBack: (held: Held, name: string): string =>
    `Would bring back ${summariseEntries(held)} from ${name}: nothing was changed.`,
  broughtBack: (kind: string, name: string): string => `  brought back ${kind.toLowerCase()} ${name}`,
  allBack: (name: string, schema: string): string => `Everything of ${name} is in schema ${schema} again.`,
  dropped: (done: number, left: number): string => `  dropped ${done}, ${left} left`,
  stillThere: (name: string): string => `${name} is still there: it holds something that db-init did not put there.`,
  gone: (name: string): string => `${name} is gone.`,
  moveConsent(schema: string, names: readonly string[]): string {
    const more = names.length > mostNames ? ` and ${names.length - mostNames} more` : '';
    return `This moves out of schema ${schema}: ${names.slice(0, mostNames).join(', ')}${more}. Nothing is dropped.`;
  },
  purgeConsent: (held: Held, name: string): string => `This DELETES ${summariseEntries(held)} in ${name} for good.`,
  /** Of a SQLite file. */
  noFile: (file: string): string => `There is no ${file}: nothing was changed.`,
  movedFile: (file: string, name: string, held: Held): string =>
    `  moved ${file} to ${name} (${summariseEntries(held)})`,
  moveFileConsent: (file: string, name: string, held: Held): string =>
    `This moves ${file}, ${summariseEntries(held)}, to ${name} in the same folder. Nothing is deleted.`,
  wouldBringFileBack: (held: Held): string => `Would bring back ${summariseEntries(held)}: nothing was changed.`,
  fileBack: (file: string): string => `${file} is there again.`,
};
