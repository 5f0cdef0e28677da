import type { Engine } from '../database/session.ts';

/** The commands that people are sent to. Each stands on a line of its own, so that it can be copied. */
export const commands = {
  help: '  docker compose run --rm db-init help',
  status: '  docker compose run --rm db-init status',
  differences: '  docker compose run --rm db-init status --json',
  adopt: '  docker compose run --rm db-init adopt',
  gate: '  docker compose up -d',
  rehearse: '  docker compose run --rm db-init plan --rehearse',
  repair: '  docker compose run --rm db-init repair',
  backup: '  docker compose run --rm db-init backup create',
  backups: '  docker compose run --rm db-init backup list',
  restore: '  docker compose run --rm db-init restore FILE',
  stop: '  docker compose stop app',
  dump: '  docker compose exec db pg_dump -U timetracker timetracker > backup.sql',
  putAside: '  docker compose run --rm db-init quarantine create --yes',
  putAllAside: '  docker compose run --rm db-init quarantine create --all --yes',
};

export const untouched = 'nothing was changed in the database.';

/**
 * How to restore a backup. It works beside a database in whatever state, and loses none.
 * @param which the sentence it begins with, without its full stop
 */
export function restoring(which: string): string {
  const kept = 'What is there now is kept, and `restore --undo` brings it back.';
  return [`${which}. ${kept}`, commands.backups, commands.stop, commands.restore].join('\n');
}

/** Whatever is there: it is all kept. */
export const startOver = `Start over with nothing lost: put everything aside, and let a new schema be made.\n${commands.putAllAside}\n${commands.gate}`;

/** What speaks of another application, as lines of a banner. */
export function describeLedgers(ledgers: readonly string[]): readonly string[] {
  return ledgers.length === 0 ? [] : [`The ledger of another migration tool is there: ${ledgers.join(', ')}.`];
}

/** What to do where PostgreSQL's client programs are missing or too old. */
export const newerTools =
  "Use a newer image of db-init: it brings PostgreSQL's client programs. Outside of it, install them in that version, " +
  'or a newer one, where db-init runs (postgresql-client).';

/** Options that depend on where the database lives. */
export interface Advice {
  /** How to copy everything before one tries anything. */
  readonly save: string;
  /** The command that copies it. */
  readonly saveCommand: string;
  /** The command that opens it, to put something right by hand. */
  readonly open: string;
  /** What to do about tables that are not TimeTracker's, with nothing lost. */
  readonly clean: readonly string[];
  /** How to begin anew with a database that works as such: its schema alone is no good. It stands last. */
  readonly reset: string;
  /** What is left if nothing helps; null where nothing has to be lost. It stands last. */
  readonly giveUp: string | null;
}

/** The advice for a database, by what it is called: a path is a SQLite file. */
export function adviceFor(database: string): Advice {
  return adviceOn(database.startsWith('/') ? 'sqlite' : 'postgresql', database);
}

/** @param file the SQLite file, where that is known */
export function adviceOn(engine: Engine, file = '/data/timetracker.db'): Advice {
  switch (engine) {
    case 'postgresql':
      return {
        save: `Save what is there before anything else: with the uploads, or the database alone.\n${commands.backup}\n${commands.dump}`,
        saveCommand: commands.dump,
        open: '  docker compose exec db psql -U timetracker timetracker',
        clean: [
          'Look whether DATABASE_URL names the right database.',
          'Or set TT_SKIP_DB_CLEANUP=false and restart to try automatic cleanup: the tables are moved to a quarantine schema, none is dropped.',
          `Or do the same by hand.\n${commands.putAside}\n${commands.gate}`,
        ],
        reset:
          'LAST RESORT, THIS DELETES ALL DATA: start over with an empty schema. A safety backup is made first.\n' +
          `${commands.stop}\n  docker compose run --rm db-init reset\n${commands.gate}`,
        giveUp:
          'LAST RESORT, THIS DELETES ALL DATA: start over with an empty volume; `docker volume ls` says what it is called. ' +
          '(`docker compose down -v` would delete the uploads and the backups as well.)\n' +
          `  docker compose down\n  docker volume rm timetracker_db_data\n${commands.gate}`,
      };
    case 'sqlite': {
      const copy = `  docker compose run --rm --entrypoint cp db-init ${file} ${file}.copy`;
      return {
        save: `Save what is there before anything else: with the uploads, or the file alone.\n${commands.backup}\n${copy}`,
        saveCommand: copy,
        open: `  sqlite3 ${file}`,
        clean: [
          'Look whether DATABASE_URL names the right file.',
          `If it does, put the file aside and start again: a new one is made, and nothing is lost.\n${commands.putAside}\n${commands.gate}`,
        ],
        reset: `Start over with nothing lost: put the file aside, and let a new one be made.\n${commands.putAllAside}\n${commands.gate}`,
        giveUp: null,
      };
    }
  }
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
