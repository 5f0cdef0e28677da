import type { Commands } from './commands.ts';

/** The name of an archive in messages. @param file `-` for standard input */
export const shownArchive = (file: string): string => (file === '-' ? 'the archive from standard input' : file);

/** The sentence about safety if a run wrote nothing. */
export const untouched = 'nothing was changed in the database.';

/**
 * How to restore a backup. It works in every state of the live database, and keeps that database.
 * @param which its first sentence, without the full stop
 */
export function restoreOption(which: string, commands: Commands): string {
  const how = 'Stop the application first; FILE is a name that the list shows.';
  const kept = 'What is there now is kept, and `restore --undo` brings it back.';
  return [`${which}. ${how} ${kept}`, commands.backups, commands.stop, commands.restore].join('\n');
}

/** How to start over in a new schema, without losing anything. */
export function startOver(commands: Commands): string {
  return [
    'Start over without losing anything: stop the application, move everything to quarantine, and start with a new schema.',
    commands.stop,
    commands.putAllAside,
    commands.gate,
  ].join('\n');
}

/** Whether an error of the operating system says that the file system is mounted read-only. */
export const isReadOnly = (reason: string): boolean => /\bEROFS\b/.test(reason);

/** Whether the reason why a SQLite file cannot be opened is the space on its disk (`noRoom…` in sqlite-reasons.ts). */
export const isFull = (reason: string): boolean => /\bdisk is full\b|\benough space\b/.test(reason);

/** Whether an error of the operating system says that the user of this process lacks a right. */
export const isForbidden = (reason: string): boolean => /\bEACCES\b/.test(reason);

/** The tables of other migration tools, as lines of a banner. */
export function describeForeignLedgers(tables: readonly string[]): readonly string[] {
  return tables.length === 0 ? [] : [`It has the table of another migration tool: ${tables.join(', ')}.`];
}

/** What to do if PostgreSQL's client programs are missing or too old. */
export const newerTools =
  "Use a newer image of db-init: it contains PostgreSQL's client programs. Without the image, install that version of them, " +
  'or a newer one, where db-init runs (postgresql-client).';

export interface Advice {
  /** How to save the database before anything is tried. */
  readonly save: string;
  readonly whichDatabase: string;
  /** What to do about tables that are not TimeTracker's, with nothing lost. */
  readonly clean: readonly string[];
  /** The end of a sentence: how such tables are put aside once that is allowed. */
  readonly startEmpty: string;
  /** How to start over in a database that works, but whose schema cannot be used. It is the last option. */
  readonly reset: string;
  /** The last resort; null where no data has to be lost. It is the last option. */
  readonly giveUp: string | null;
}

export function adviceFor(commands: Commands): Advice {
  switch (commands.engine) {
    case 'postgresql':
      return {
        save: `Before anything else, save the data: with the uploads, or the database alone.\n${commands.backup}\n${commands.dump}`,
        whichDatabase: `Check whether ${commands.variables.whole} names the right database.`,
        startEmpty: ` and start again: the tables are moved to a quarantine schema, none is dropped.\n${commands.gate}`,
        clean: [
          'Or set TT_SKIP_DB_CLEANUP=false and restart to try automatic cleanup: the tables are moved to a quarantine schema, none is dropped.',
          `Or do the same by hand.\n${commands.putAside}\n${commands.gate}`,
        ],
        reset:
          'LAST RESORT, THIS DELETES ALL DATA: stop the application and start over with an empty schema. ' +
          'A safety backup is made first.\n' +
          `${commands.stop}\n${commands.reset}\n${commands.gate}`,
        giveUp: [
          'LAST RESORT, THIS DELETES ALL DATA of this database: stop the application, drop the database, and start ' +
            'over with an empty one. Uploads and backups stay' +
            (commands.compose ? ' (`docker compose down -v` would delete them as well).' : '.'),
          commands.stop,
          commands.client('dropdb', ['--force', commands.databaseName]),
          commands.client('createdb', [commands.databaseName]),
          commands.gate,
        ].join('\n'),
      };
    case 'sqlite':
      return {
        save: `Before anything else, save the data: with the uploads, or the file alone.\n${commands.backup}\n${commands.dump}`,
        whichDatabase: 'Check whether DATABASE_URL names the right file.',
        startEmpty: `, put the file aside and start again: nothing is lost.\n${commands.putAside}\n${commands.gate}`,
        clean: [
          `If it does, put the file aside and start again: db-init creates a new one, and nothing is lost.\n${commands.putAside}\n${commands.gate}`,
        ],
        reset: startOver(commands),
        giveUp: null,
      };
  }
}

/** A clause with a capital letter, as the beginning of a sentence; a name such as pg_dump stays as it is. */
export function capitalize(text: string): string {
  return /^[a-z]+_/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
}
