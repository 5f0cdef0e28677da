import { printable } from '../platform/printable.ts';

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

/** What is said where a person is asked, and where nobody can be asked. @param what what is about to happen, as a sentence */
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
export type ComposeFault = { readonly kind: 'no-yaml'; readonly reason: string } | { readonly kind: 'no-services' };

/** What is said where `compose` has nothing to work with. */
export const composeUsage = {
  noFile: 'Give the compose files, or one on standard input: db-init compose < docker-compose.yml',
  unreadable: (file: string, reason: string): string => `The file ${file} cannot be read: ${reason}.`,
  /** @param file null for standard input */
  noComposeFile(file: string | null, fault: ComposeFault): string {
    const called = file ?? 'standard input';
    return fault.kind === 'no-services' ? `${called} has no services.` : `${called} is not YAML: ${fault.reason}.`;
  },
  /** @param candidates services that look like the application */
  unclear(candidates: readonly string[], services: readonly string[]): string {
    const found =
      candidates.length > 0 ? `These look alike: ${candidates.join(', ')}.` : `There are: ${services.join(', ')}.`;
    return `Which service is TimeTracker? ${found} Name it: db-init compose --service NAME`;
  },
};
