import type { ResetObstacle } from '../errors/failure.ts';
import { describeForeignLedgers, startOver, untouched } from './next-steps.ts';
import type { Notice } from './banner.ts';
import type { Commands } from './commands.ts';
import type { Log } from './log.ts';
import { listSessions } from './quarantine-messages.ts';
import type { State } from '../model/state.ts';
import { count } from './format.ts';

/** Why nothing was deleted. */
export function describeResetObstacle(database: string, obstacle: ResetObstacle, commands: Commands): Notice {
  switch (obstacle.kind) {
    case 'not-recognised':
      return {
        title: `Nothing shows that this is TimeTracker's database: ${database}`,
        happened: [
          `Tables there are called like TimeTracker's (${obstacle.core.join(', ')}), but neither is a revision of it in ` +
            'alembic_version, nor is the schema that of one.',
          ...describeForeignLedgers(obstacle.foreignLedgers),
        ],
        safe: `${untouched} What may be somebody else's is not deleted.`,
        options: [
          'If it is, give TimeTracker a database of its own, and its name in DATABASE_URL.',
          startOver(commands),
        ],
      };
    case 'others-are-connected':
      return {
        title: `Others are connected to this database: ${database}`,
        happened: [`Nothing is deleted while it may be in use: ${listSessions(obstacle.others)}.`],
        safe: untouched,
        options: [
          `Stop what is connected, then start again.\n${commands.stop}\n${commands.reset}`,
          `Or have these sessions ended: what they have not committed is lost.\n${commands.reset} --disconnect`,
        ],
      };
    case 'file-in-use':
      return {
        title: `Somebody else is using the file: ${database}`,
        happened: [
          `The exclusive lock on ${obstacle.file} was not to be had.`,
          'Nobody can be parted from a file: --disconnect is for PostgreSQL.',
        ],
        safe: untouched,
        options: [`Stop what is using it, then start again.\n${commands.stop}\n${commands.reset}`],
      };
    case 'blocking-objects':
      return {
        title: `Something that is not TimeTracker's is in the way: ${database}`,
        happened: [
          "A reset deletes what is TimeTracker's and nothing else. This could not stay without it:",
          ...obstacle.objects.map((thing) => `- ${thing}`),
        ],
        safe: untouched,
        options: [
          startOver(commands),
          `Or drop what is listed yourself, if nobody needs it, then start again.\n${commands.open}`,
        ],
      };
    case 'no-backup':
      return {
        title: `No safety backup could be made: ${database}`,
        happened: [obstacle.reason, 'Without a way back nothing is deleted.'],
        safe: `${untouched} An unfinished archive was removed.`,
        options: [
          `Remedy that, then start again.\n${commands.reset}`,
          `Save the database yourself.\n${commands.dump}`,
          `Do without a backup: what is deleted then is GONE FOR GOOD.\n${commands.reset} --no-backup`,
        ],
      };
  }
}

/** What is about to be deleted, as a sentence. */
export function describeLoss(
  database: string,
  tables: number,
  counts: readonly { readonly table: string; readonly rows: number }[],
): string {
  const rows = counts.map(({ table, rows: found }) => `${table}: ${found}`).join(', ');
  return `This DELETES ALL DATA of TimeTracker in ${database}: ${tables} tables (rows in ${rows}).`;
}

/** Says what stayed where it was. */
export function announceKept(names: readonly string[], log: Log): void {
  if (names.length === 0) return;
  log.info(`Not TimeTracker's, and still there: ${names.join(', ')}.`, { kept: names });
}

/** Says what comes next, and how to take everything back. @param backup the archive that was made, if one was */
export function announceNext(backup: string | null, commands: Commands, log: Log): void {
  log.info('Everything of TimeTracker was deleted. Uploads and backups stay where they are.');
  log.info('The application inserts its default rows, settings and administrators, at its next start:');
  log.info(commands.gate);
  if (backup === null) return;
  log.info('To take back what was there:');
  log.info(commands.run('restore', backup), { backup });
}

/** The deletion can still be rolled back. */
export function describeDeleted(tables: number): string {
  return `  deleted ${tables} tables, until the new schema is proven and committed`;
}

/** What the seed has added, for people: a line a table. */
export function renderCounts(counts: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counts);
  const all = entries.reduce((sum, [, number]) => sum + number, 0);
  const name = Math.max(...entries.map(([table]) => table.length));
  const digits = String(all).length;
  return [
    ...entries.map(([table, number]) => `  ${table.padEnd(name)}  ${String(number).padStart(digits)}`),
    all === 0 ? 'Everything was there already: nothing was added.' : `${count(all, 'row')} added.`,
    '',
  ].join('\n');
}

/** Why no development data was added. */
export function describeSeedRefusal(database: string, state: State['kind'], commands: Commands): Notice {
  return {
    title: `Development data is only added to a current database: ${database}`,
    happened: [`The state of this one is "${state}".`],
    safe: untouched,
    options: [
      `Run the gate first: it brings the database to the head, or says what stands in the way.\n${commands.gate}`,
      `See what is wrong.\n${commands.status}`,
    ],
  };
}

/** How many rows the seed has added to a table. */
export function describeAdded(table: string, rows: number): string {
  return `  ${table}: ${rows} added`;
}
