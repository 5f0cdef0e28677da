import { printable } from '../platform/printable.ts';
import { currentRelease } from '../releases.ts';
import type { JsonObject } from './output.ts';

/** What each command does, in one line of `help`. */
export const summaries = {
  gate: 'bring the database to the current schema, or stop with the way out (the default)',
  adopt: 'stamp a database without version information with the revision that its schema is at',
  backup: 'backups of the database and the uploads: make one, list, prove, remove older ones',
  compose: 'read compose files of TimeTracker, and print the override that puts db-init in front of it',
  plan: 'say what the gate would do, revision by revision',
  quarantine: 'what was put aside: take it back, delete it, or put something aside by hand',
  repair: 'add what the schema lacks of its revision, as far as that is safe',
  reset: 'DELETE ALL DATA of TimeTracker and create the schema anew, after a safety backup',
  restore: 'put an archive in the place of the database and the uploads, which are kept; or take that back',
  seed: 'add made-up data to a development database; a second run adds nothing',
  status: 'say which state the database is in',
  verify: 'compare the whole schema with what its revision promises',
};

/** What each flag does, with its default; `COMMAND --FLAG` where it is said of one command alone. */
export const flagTexts: Readonly<Record<string, string>> = {
  '--json': 'print one object on standard output; the log goes to standard error',
  '--yes': 'agree to what is asked otherwise; without a terminal nobody can be asked',
  '--dry-run': 'say what would be done, and change nothing',
  '--trust-archive':
    'answer for the archive: load objects that TimeTracker does not make as well; default: refuse an archive that has any',
  '--disconnect':
    'end the sessions of others when the database is exchanged (PostgreSQL); default: refuse while there are any. SQLite: go on where it cannot be seen who has the file open',
  'reset --disconnect': 'end the sessions of others (PostgreSQL); default: refuse while there are any',
  'plan --rehearse': 'do the pending work, verify the result, and roll it back; this takes the lock',
  'backup --output':
    'the folder or the new file that the archive is written to, - for standard output; default: the backup folder',
  'backup --keep':
    'how many backups of this database stay, the newest; older ones are removed. Default of `create`: all; `prune` needs it',
  'backup --since':
    'make none where one of this database was made since that time (2026-11-23T03:30:00Z); default: make one',
  'backup --cron':
    'when backups are made: minute, hour, day, month, weekday; default: 30 3 * * *, every night at half past three',
  'backup --check':
    'ask whether the scheduler of this container lives and its last backup succeeded; for a health check',
  'backup --prove': 'restore the archive beside the database, bring it to the head, and drop it again',
  'restore --database-only': 'leave the uploads as they are; default: they are restored with the database',
  'restore --set-aside':
    'from one engine into the other: put rows that do not fit aside; default: refuse, and name them',
  'restore --undo': 'put back what was there before the last restore',
  'restore --accept-changes':
    'with --undo: put it back although it was changed since it was put aside; default: refuse, and say what was changed',
  'restore --drop-former': 'delete what the last restores have kept; there is no way back from them then',
  'quarantine --all': "put everything aside; default: what is not the application's",
  'adopt --revision': 'the revision or revisions that the schema is at, with commas; default: found by the schema',
  'adopt --force': 'stamp the database although its schema is another one; needs --revision',
  'reset --no-backup': 'make no safety backup first: what is deleted is gone for good',
  'seed --no-currencies': 'add no currencies; default: those of the seed are added',
  'seed --no-expense-categories': 'add no expense categories; default: those of the seed are added',
  'compose --service': "the application's service; default: found by its image, its address and its volumes",
  'reset --yes-delete-all-data': 'agree to the deletion: its value is the name of the database',
};

/** What is said where an archive cannot be written to standard output, or read from standard input. */
export const streamTexts = {
  outputIsTerminal:
    'Standard output is a terminal, and an archive is not for reading: send it into a file or a program, as in ' +
    '`backup create --output - > backup.zip`. With docker compose run, give -T.',
  inputIsTerminal:
    'Standard input is a terminal: the archive has to come from a file or a program, as in `restore - --yes < backup.zip`. ' +
    'With docker compose run, give -T; with docker run, -i and not -t.',
  noQuestion:
    'The archive comes on standard input, so that nobody can be asked there: give --yes if it is to take the place of the ' +
    'database, or --dry-run to try it out first. Nothing was read.',
  noJson: 'The archive goes to standard output: leave out --json.',
  noKeep: 'An archive that goes to standard output is not in the backup folder: leave out --keep and --since.',
} as const;

/** What is said where a command line cannot be understood. */
export const usageTexts = {
  /** @param usage what may follow `db-init` */
  usage: (usage: string): string => `Usage: db-init ${usage}.`,
  /** @param name null where it is not shown: a password may have got there */
  noCommand(name: string | null, meant: string | null, known: readonly string[]): string {
    const shown = name === null ? 'There is no such command (not shown).' : `There is no command "${name}".`;
    const advice = meant === null ? '' : ` Did you mean ${meant}?`;
    return `${shown}${advice} There are: ${known.join(', ')}.`;
  },
  misread: (reason: string, usage: string): string => `${reason}. Usage: db-init ${usage}`.trimEnd(),
  repeated: (option: string): string => `--${option} is given more than once`,
  tooMany: (more: readonly string[]): string => `too many arguments: ${more.join(' ')}`,
  unfitKeep: (usage: string): string => `--keep wants a whole number from 1 on. Usage: db-init ${usage}.`,
  forceNeedsRevision: '--force needs --revision: say which revision the database is at.',
  developmentOnly: (environment: string): string =>
    `The seed is for development alone: it runs with FLASK_ENV=development, and FLASK_ENV is ${JSON.stringify(environment)}.`,
};

/** What is said where `--output` names no place for a backup. */
export const outputTexts = {
  empty: '--output wants a file, a folder or - for standard output.',
  exists: (path: string): string => `${path} exists already, and is not overwritten.`,
  danglingLink: (path: string): string => `${path} is a symbolic link, and what it points to is not there.`,
  noFolder: (path: string): string => `there is no folder ${path}.`,
  unreadable: (path: string, code: string): string => `${path} cannot be looked at (${code}).`,
};

/** Questions for consent, and the messages if nobody can be asked. @param what what is about to happen, as a sentence */
export const consentTexts = {
  question: (what: string): string => `${printable(what)}\nType yes to go on: `,
  needed: (what: string): string => `${what} This needs your consent: give --yes if that is what you want.`,
  questionByName: (what: string, name: string): string =>
    `${printable(what)}\nType the name of the database, ${name}, to go on: `,
  neededByName: (name: string, option: string): string =>
    `This deletes all data of the database ${name}, and needs your consent: give --${option} ${name}, or ` +
    'set TT_FORCE_RESET_DB=true. Nothing was touched.',
  otherName: (option: string, given: string, name: string): string =>
    `--${option} says ${given}, but the database is ${name}. Nothing was touched.`,
};

/** Why a file is none that `compose` can read. */
export type ComposeFault =
  | { readonly kind: 'no-yaml'; readonly reason: string }
  | { readonly kind: 'no-services' }
  /** All services are in other files, which could not be read. */
  | { readonly kind: 'only-includes'; readonly files: readonly string[] };

/** The call in a container that can read the files that a compose file names. */
export const composeInFolder =
  'docker run --rm -v "$PWD:/in:ro" -w /in timetracker-db-init compose docker-compose.yml > docker-compose.override.yml';

/** What is said where `compose` has nothing to work with. */
export const composeUsage = {
  noFile: 'Give the compose files, or one on standard input: db-init compose < docker-compose.yml',
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

/** What `version` prints: what this db-init is, and which release of TimeTracker it is for. */
export function versionText(version: string): string {
  return `db-init ${version} for TimeTracker ${currentRelease.to} (${currentRelease.heads.join(', ')})\n`;
}

/** The same for programs. */
export function versionFacts(version: string): JsonObject {
  return { version, release: currentRelease.to, heads: currentRelease.heads };
}
