import type { Engine } from '../database/session.ts';

/** The commands that people are sent to. Each stands on a line of its own, so that it can be copied. */
export const commands = {
  help: '  docker compose run --rm db-init help',
  status: '  docker compose run --rm db-init status',
  differences: '  docker compose run --rm db-init status --json',
  adopt: '  docker compose run --rm db-init adopt',
  gate: '  docker compose up -d',
  repair: '  docker compose run --rm db-init repair --dry-run',
  backup: '  docker compose run --rm db-init backup create',
  backups: '  docker compose run --rm db-init backup list',
  dump: '  docker compose exec db pg_dump -U timetracker timetracker > backup.sql',
  putAside: '  docker compose run --rm db-init quarantine create --yes',
  putAllAside: '  docker compose run --rm db-init quarantine create --all --yes',
};

export const untouched = 'nothing was changed in the database.';

/** Options that depend on where the database lives. */
export interface Advice {
  /** How to copy everything before one tries anything. */
  readonly save: string;
  /** The command that copies it. */
  readonly saveCommand: string;
  /** The command that opens it, to put something right by hand. */
  readonly open: string;
  /** What is left if nothing helps. It stands last. */
  readonly giveUp: string;
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
        giveUp:
          'LAST RESORT, THIS DELETES ALL DATA: start over with an empty database.\n' +
          '  docker compose down -v && docker compose up -d',
      };
    case 'sqlite': {
      const copy = `  docker compose run --rm --entrypoint cp db-init ${file} ${file}.copy`;
      return {
        save: `Save what is there before anything else: with the uploads, or the file alone.\n${commands.backup}\n${copy}`,
        saveCommand: copy,
        open: `  sqlite3 ${file}`,
        giveUp: `Start over with an empty database; the file is put aside, with everything in it.\n${commands.putAllAside}\n${commands.gate}`,
      };
    }
  }
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
