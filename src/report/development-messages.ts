import type { BlockingObject, ResetObstacle } from '../errors/obstacles.ts';
import { describeForeignLedgers, startOver, untouched } from './next-steps.ts';
import type { Notice } from './banner.ts';
import type { Commands } from './commands.ts';
import type { Log } from './log.ts';
import { listSessions } from './quarantine-messages.ts';
import type { State } from '../model/state.ts';
import { count } from './format.ts';

export function describeResetObstacle(database: string, obstacle: ResetObstacle, commands: Commands): Notice {
  switch (obstacle.kind) {
    case 'not-recognised':
      return {
        title: `Nothing shows that this is TimeTracker's database: ${database}`,
        happened: [
          `Some tables have names of TimeTracker's tables (${obstacle.core.join(', ')}), but alembic_version contains no ` +
            'revision of TimeTracker, and the schema matches none.',
          ...describeForeignLedgers(obstacle.foreignLedgers),
        ],
        safe: `${untouched} db-init does not delete data that may belong to another application.`,
        options: [
          'If it belongs to another application, create a separate database for TimeTracker, and set its name in DATABASE_URL.',
          startOver(commands),
        ],
      };
    case 'others-are-connected':
      return {
        title: `Other sessions are connected to this database: ${database}`,
        happened: [`Nothing is deleted while other sessions may use it: ${listSessions(obstacle.others)}.`],
        safe: untouched,
        options: [
          `Stop the connected programs, then start again.\n${commands.stop}\n${commands.reset}`,
          `Or let db-init end these sessions: what they have not committed is lost.\n${commands.reset} --disconnect`,
        ],
      };
    case 'file-in-use':
      return {
        title: `Another program is using the file: ${database}`,
        happened: [
          `db-init could not get an exclusive lock on ${obstacle.file}.`,
          'db-init cannot end the other program: --disconnect is for PostgreSQL.',
        ],
        safe: untouched,
        options: [`Stop the program that uses it, then start again.\n${commands.stop}\n${commands.reset}`],
      };
    case 'blocking-objects':
      return {
        title: `Objects that are not TimeTracker's prevent the reset: ${database}`,
        happened: [
          "A reset deletes only TimeTracker's objects. These other objects would be lost with them, or have their names:",
          ...obstacle.objects.map((object) => `- ${describeBlockingObject(object)}`),
        ],
        safe: untouched,
        options: [
          startOver(commands),
          `Or drop the listed objects yourself, if nobody needs them, then start again.\n${commands.open}`,
        ],
      };
    case 'no-backup':
      return {
        title: `No safety backup could be made: ${database}`,
        happened: [obstacle.reason, 'Without a backup nothing is deleted.'],
        safe: `${untouched} An unfinished archive was removed.`,
        options: [
          `Correct that, then start again.\n${commands.reset}`,
          `Save the database yourself.\n${commands.dump}`,
          `Continue without a backup: the data is then DELETED FOR GOOD.\n${commands.reset} --no-backup`,
        ],
      };
  }
}

function describeBlockingObject(object: BlockingObject): string {
  switch (object.kind) {
    case 'name-taken':
      return `${object.object} ${object.name} has the name of a table`;
    case 'dependent':
      return object.description;
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

/** Names the objects that were not deleted. */
export function announceKept(names: readonly string[], log: Log): void {
  if (names.length === 0) return;
  log.info(`Not deleted, because it is not TimeTracker's: ${names.join(', ')}.`, { kept: names });
}

/** Says what comes next, and how to undo the reset. @param backup the archive that was made, if one was */
export function announceNext(backup: string | null, commands: Commands, log: Log): void {
  log.info('Everything of TimeTracker was deleted. Uploads and backups stay where they are.');
  log.info('At its next start the application inserts its default rows, settings and administrators:');
  log.info(commands.gate);
  if (backup === null) return;
  log.info('To restore what was there before:');
  log.info(commands.run('restore', backup), { backup });
}

/** Reports a deletion that can still be rolled back. */
export function describeDeleted(tables: number): string {
  return `  deleted ${tables} tables; this is committed together with the new schema`;
}

/** What the seed has added, for people: a line a table. */
export function renderCounts(counts: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counts);
  const all = entries.reduce((sum, [, number]) => sum + number, 0);
  const name = Math.max(...entries.map(([table]) => table.length));
  const digits = String(all).length;
  return [
    ...entries.map(([table, number]) => `  ${table.padEnd(name)}  ${String(number).padStart(digits)}`),
    all === 0 ? 'All of these rows exist already: nothing was added.' : `${count(all, 'row')} added.`,
    '',
  ].join('\n');
}

/** What the seed says before it adds rows to a database that is not empty. */
export function describeExisting(
  database: string,
  counts: readonly { readonly table: string; readonly rows: number }[],
): string {
  const rows = counts.map(({ table, rows: found }) => `${table}: ${found}`).join(', ');
  return (
    `${database} holds rows already (${rows}), yours or those of an earlier seed. The seed adds what is missing of its ` +
    'own rows. It deletes no row, and changes none but the stock levels of its items.'
  );
}

/** Why no development data was added. */
export function describeSeedRefusal(database: string, state: State['kind'], commands: Commands): Notice {
  return {
    title: `Development data is only added to a current database: ${database}`,
    happened: [`The state of this one is "${state}".`],
    safe: untouched,
    options: [
      `Run the gate first: it migrates the database, or says why it cannot.\n${commands.gate}`,
      `See what is wrong.\n${commands.status}`,
    ],
  };
}

export function describeAdded(table: string, rows: number): string {
  return `  ${table}: ${rows} added`;
}
