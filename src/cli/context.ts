import type { Config, Settings } from '../config/config.ts';
import type { ExitCode } from '../errors/exit-codes.ts';
import type { Log } from '../report/log.ts';
import type { Output } from '../report/output.ts';
import type { Recorder } from '../report/run-record.ts';

export interface CommandContext<Known extends Settings = Config> {
  readonly version: string;
  readonly config: Known;
  readonly output: Output;
  readonly log: Log;
  /** What the run does, for its report and for the banner of a failure. */
  readonly recorder: Recorder;
  readonly signal: AbortSignal;
  /** The base of relative paths on the command line. */
  readonly workingDirectory: string;
  /** The text of `help settings`, which names every setting. */
  readonly settings: string;
  /** What was given after the command's name. */
  readonly arguments: CommandArguments;
  /** Whether TT_RUN_ONCE contains the command, and not the command line. */
  readonly ordered?: boolean;
  /** Parses other command lines, such as those in TT_RUN_ONCE. */
  readonly commandLine: CommandLine;
}

/** The commands of db-init, and the parser of its command lines. */
export interface CommandLine {
  readonly loadCommands: () => Promise<readonly Command[]>;
  /** @throws Failure `usage` */
  readonly read: (words: readonly string[]) => Promise<Request>;
}

export interface CommandArguments {
  readonly flags: ReadonlySet<string>;
  readonly options: ReadonlyMap<string, string>;
  readonly positionals: readonly string[];
}

/** A command of the command line. */
export type Command = DatabaseCommand | OptionalDatabaseCommand;

/** A command that always needs a database. */
export interface DatabaseCommand extends CommandDefinition {
  readonly database?: 'needed';
  readonly run: (context: CommandContext) => Promise<ExitCode>;
}

/** A command that needs a database for some of its arguments only. */
interface OptionalDatabaseCommand extends CommandDefinition {
  readonly database: 'optional';
  readonly usesDatabase: (given: CommandArguments) => boolean;
  readonly run: (context: CommandContext<Settings>) => Promise<ExitCode>;
}

interface CommandDefinition {
  readonly name: string;
  /** What may follow the name, as `help` shows it: `FILE [--yes]`. */
  readonly usage: string;
  /** One line for `help`. */
  readonly summary: string;
  /** Options without a value, `--yes`; without `--json` and `--help`, which every command takes. */
  readonly flags: readonly string[];
  /** Options with a value, `--keep 5`. */
  readonly options?: readonly string[];
  /** Explanations of flags and options that `flagTexts` does not have. */
  readonly explains?: Readonly<Record<string, string>>;
  /** How many positional arguments it takes at the most. */
  readonly positionals?: number;
  /** Whether a report is written to TT_REPORT_FILE: for commands that may write to the database. */
  readonly reports?: boolean;
  /** Whether standard output carries the result, so that the log goes to standard error. */
  readonly writesToOutput?: (given: CommandArguments) => boolean;
  /** Which runs send a notification (TT_NOTIFY_URL, TT_PING_URL): all, or those of these verbs; default: none. */
  readonly announced?: true | readonly string[];
  /** Which runs TT_RUN_ONCE may order: all, or those of these verbs; default: none. */
  readonly once?: true | readonly string[];
}

/** Whether a run's verb is in the list; `true` stands for every verb. */
export function matchesVerb(
  meant: true | readonly string[] = [],
  { positionals: [verb = ''] }: CommandArguments,
): boolean {
  return meant === true || meant.includes(verb);
}

/** Whether a run sends a notification. A dry run sends none. */
export function isAnnounced({ announced }: Command, given: CommandArguments): boolean {
  return !given.flags.has('dry-run') && matchesVerb(announced, given);
}

/** What the command line asks for. */
export type Request =
  /** The help for one command; null for all commands. */
  | { readonly kind: 'help'; readonly command: Command | null }
  | { readonly kind: 'settings' }
  | { readonly kind: 'version' }
  | { readonly kind: 'command'; readonly command: Command; readonly arguments: CommandArguments };
