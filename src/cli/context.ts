import type { Config } from '../config/config.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Log } from '../report/log.ts';
import type { Output } from '../report/output.ts';
import type { Recorder } from '../report/record.ts';

/** What every command gets to work with. */
export interface CommandContext {
  readonly version: string;
  readonly config: Config;
  readonly output: Output;
  readonly log: Log;
  /** What the run does, for its report and for the banner of a failure. */
  readonly recorder: Recorder;
  readonly signal: AbortSignal;
  /** What was given after the command's name. */
  readonly arguments: CommandArguments;
}

export interface CommandArguments {
  readonly flags: ReadonlySet<string>;
  readonly options: ReadonlyMap<string, string>;
  readonly positionals: readonly string[];
}

/** A command of the command line. */
export interface Command {
  readonly name: string;
  /** What may follow the name, as `help` shows it: `FILE [--json]`. */
  readonly usage: string;
  /** One line for `help`. */
  readonly summary: string;
  /** Options without a value, `--json`. */
  readonly flags: readonly string[];
  /** Options with a value, `--keep 5`. */
  readonly options?: readonly string[];
  /** How many positional arguments it takes at the most. */
  readonly positionals?: number;
  /** Whether TT_REPORT_FILE receives a report of it: of what may write to the database. */
  readonly reports?: boolean;
  readonly run: (context: CommandContext) => Promise<ExitCode>;
}
