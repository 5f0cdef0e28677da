import { printable } from '../platform/printable.ts';
import { currentRelease } from '../releases.ts';
import type { JsonObject } from './output.ts';

/** What each command does, in one line of `help`. */
export const summaries = {
  gate: 'migrate the database to the current schema, or stop and say what to do (the default)',
  adopt: 'stamp a database without version information with the revision of its schema',
  backup: 'make, list, verify and remove backups of the database and the uploads',
  compose: 'read compose files of TimeTracker, and print the override that puts db-init in front of it',
  plan: 'show what the gate would do, revision by revision',
  quarantine: 'move tables to quarantine by hand, list quarantines, bring them back, delete them',
  repair: 'add the missing parts of the schema, if that is safe',
  reset: 'make a safety backup, DELETE ALL DATA of TimeTracker, and create the schema again',
  restore: 'replace the database and the uploads by an archive, and keep the former ones; or undo that',
  seed: 'add example data to a development database; a second run adds nothing',
  status: 'show the state of the database',
  verify: 'compare the whole schema with its revision',
};

/** What each flag does, with its default; `COMMAND --FLAG` if the text is only for one command. */
export const flagTexts: Readonly<Record<string, string>> = {
  '--json': 'print one object on standard output; the log goes to standard error',
  '--yes': 'agree without being asked; needed without a terminal',
  '--dry-run': 'show what would be done, and change nothing',
  '--trust-archive':
    'trust the archive: also load objects that TimeTracker does not create; default: refuse an archive that has any',
  '--disconnect':
    'PostgreSQL: end other sessions when the databases are swapped; default: refuse while there are any. SQLite: continue even if db-init cannot see whether another program has the file open',
  'reset --disconnect': 'end other sessions (PostgreSQL); default: refuse while there are any',
  'plan --rehearse': 'run the plan, verify the result, and roll it back; this takes the lock',
  'backup --output': 'the folder or the new file for the archive, - for standard output; default: the backup folder',
  'backup --keep':
    'how many of the newest backups of this database are kept; older ones are removed. Default of `create`: all; `prune` needs it',
  'backup --since':
    'make no backup if one of this database was made since that time (2026-11-23T03:30:00Z); default: make one',
  'backup --cron':
    'when backups are made: minute, hour, day, month, weekday; default: 30 3 * * *, every night at half past three',
  'backup --check':
    'check whether the scheduler of this container is running and its last backup succeeded; for a health check',
  'backup --prove': 'restore the archive into a scratch database, migrate it, and drop it again',
  'restore --database-only': 'leave the uploads as they are; default: they are restored with the database',
  'restore --set-aside':
    'from one engine into the other: set rows that do not fit aside; default: refuse, and list them',
  'restore --undo': 'bring back the database and uploads from before the last restore',
  'restore --accept-changes':
    'with --undo: bring the former database back even if it was changed since the restore; default: refuse, and list the changes',
  'restore --drop-former': 'delete what restores have kept; they can then not be undone',
  'quarantine --all': "move everything; default: only what is not the application's",
  'adopt --revision': 'the revision of the schema, or several with commas; default: found from the schema',
  'adopt --force': 'stamp the database even if its schema does not match; needs --revision',
  'reset --no-backup': 'make no safety backup: the data is deleted for good',
  'seed --no-currencies': 'add no currencies; default: those of the seed are added',
  'seed --no-expense-categories': 'add no expense categories; default: those of the seed are added',
  'compose --service': "the application's service; default: found by its image, its address and its volumes",
  'reset --yes-delete-all-data': 'agree to the deletion; the value is the name of the database',
};

/** Why an archive cannot be written to standard output, or read from standard input. */
export const streamTexts = {
  outputIsTerminal:
    'Standard output is a terminal. Send the archive to a file or a program: ' +
    '`backup create --output - > backup.zip`. With docker compose run, add -T.',
  inputIsTerminal:
    'Standard input is a terminal. Send the archive from a file or a program: `restore - --yes < backup.zip`. ' +
    'With docker compose run, add -T; with docker run, add -i and omit -t.',
  noQuestion:
    'The archive comes from standard input, so db-init cannot ask for your consent there. Add --yes to replace the ' +
    'database, or --dry-run to try the archive first. Nothing was read.',
  noJson: 'The archive goes to standard output: omit --json.',
  noKeep: 'The archive goes to standard output and not to the backup folder: omit --keep and --since.',
} as const;

/** Why a command line is invalid. */
export const usageTexts = {
  /** @param usage what may follow `db-init` */
  usage: (usage: string): string => `Usage: db-init ${usage}.`,
  /** @param name null if it is not shown, because it may be a password */
  noCommand(name: string | null, meant: string | null, known: readonly string[]): string {
    const shown = name === null ? 'There is no such command (not shown).' : `There is no command "${name}".`;
    const advice = meant === null ? '' : ` Did you mean ${meant}?`;
    return `${shown}${advice} There are: ${known.join(', ')}.`;
  },
  /** @param name what was given in place of `create` and the like; null if it is missing or not shown */
  noForm(command: string, name: string | null, meant: string | null, known: readonly string[]): string {
    const said =
      name === null ? `The word after ${command} is missing or unknown.` : `There is no "${command} ${name}".`;
    const advice = meant === null ? '' : ` Did you mean ${command} ${meant}?`;
    return `${said}${advice} There are: ${known.join(', ')}.`;
  },
  otherOptions: 'One of the options does not belong to this command, or not beside the others.',
  noName: 'A file or a name is missing.',
  unneededName: 'There is one argument too many.',
  misread: (reason: string, usage: string): string => `${reason}. Usage: db-init ${usage}`.trimEnd(),
  repeated: (option: string): string => `--${option} is given more than once`,
  tooMany: (more: readonly string[]): string => `too many arguments: ${more.join(' ')}`,
  unfitKeep: (usage: string): string => `--keep needs a whole number from 1. Usage: db-init ${usage}.`,
  forceNeedsRevision: '--force needs --revision: name the revision of the database.',
  developmentOnly: (environment: string): string =>
    `The seed is only for development: it needs FLASK_ENV=development, but FLASK_ENV is ${JSON.stringify(environment)}.`,
};

export const outputTexts = {
  empty: '--output needs a file, a folder, or - for standard output.',
  exists: (path: string): string => `${path} exists already. db-init does not overwrite it.`,
  danglingLink: (path: string): string => `${path} is a symbolic link to something that does not exist.`,
  noFolder: (path: string): string =>
    `There is no folder ${path}. Make it first; in a container, mount a folder of the machine there.`,
  unreadable: (path: string, code: string): string => `${path} cannot be read (${code}).`,
};

/** Questions for consent, and the messages without a terminal. @param what what is about to happen, as a sentence */
export const consentTexts = {
  question: (what: string): string => `${printable(what)}\nType yes to continue: `,
  needed: (what: string): string => `${what} This needs your consent: add --yes if you want that.`,
  questionByName: (what: string, name: string): string =>
    `${printable(what)}\nType the name of the database, ${name}, to continue: `,
  /** @param ordered whether TT_RUN_ONCE contains the command: there the variable is no consent */
  neededByName: (name: string, option: string, ordered: boolean): string =>
    `This deletes all data of the database ${name}, and needs your consent: add --${option} ${name}` +
    (ordered
      ? ' to the command in TT_RUN_ONCE (TT_FORCE_RESET_DB does not count there).'
      : ', or set TT_FORCE_RESET_DB=true for this run only.') +
    ' Nothing was changed.',
  otherName: (option: string, given: string, name: string): string =>
    `--${option} says ${given}, but the database is ${name}. Nothing was changed.`,
};

/** Why `compose` cannot read a file. */
export type ComposeFault =
  | { readonly kind: 'no-yaml'; readonly reason: string }
  | { readonly kind: 'no-services' }
  /** All services are in other files, which could not be read. */
  | { readonly kind: 'only-includes'; readonly files: readonly string[] };

/** The call in a container that can read the files that a compose file names. */
export const composeInFolder =
  'docker run --rm -v "$PWD:/in:ro" -w /in timetracker-db-init compose docker-compose.yml > docker-compose.override.yml';

/** Why `compose` cannot work. */
export const composeUsage = {
  noFile: 'Name the compose files, or send one to standard input: db-init compose < docker-compose.yml',
  unreadable: (file: string, reason: string): string => `The file ${file} cannot be read: ${reason}.`,
  /** @param file null for standard input */
  noComposeFile(file: string | null, fault: ComposeFault): string {
    const called = file ?? 'standard input';
    switch (fault.kind) {
      case 'no-services':
        return `${called} has no services.`;
      case 'no-yaml':
        return `${called} is not YAML: ${fault.reason}.`;
      case 'only-includes':
        return `${called} has no services of its own, and these files could not be read: ${fault.files.join(', ')}. Let db-init read the folder: ${composeInFolder}`;
    }
  },
  /** @param candidates services that look like the application */
  unclear(candidates: readonly string[], services: readonly string[]): string {
    const found =
      candidates.length > 0 ? `These look alike: ${candidates.join(', ')}.` : `There are: ${services.join(', ')}.`;
    return `Which service is TimeTracker? ${found} Name it: db-init compose --service NAME`;
  },
};

/** What `version` prints: the version of db-init, and the release of TimeTracker that it is for. */
export function versionText(version: string): string {
  return `db-init ${version} for TimeTracker ${currentRelease.to} (${currentRelease.heads.join(', ')})\n`;
}

/** The same for programs. */
export function versionFacts(version: string): JsonObject {
  return { version, release: currentRelease.to, heads: currentRelease.heads };
}
