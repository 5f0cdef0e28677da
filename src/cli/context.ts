import type { Config } from '../config/config.ts';
import type { Log } from '../report/log.ts';
import type { Output } from '../report/output.ts';
import type { ExitCode } from '../exit-codes.ts';

/** What every command gets to work with. */
export interface CommandContext {
  readonly version: string;
  readonly config: Config;
  readonly output: Output;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Whether `--json` was given: the result goes to standard output as one object. */
  readonly json: boolean;
}

/** A command of the command line. */
export interface Command {
  readonly name: string;
  /** One line for `help`. */
  readonly summary: string;
  /** Flags it takes, for `help` and for parsing. */
  readonly flags: readonly 'json'[];
  readonly run: (context: CommandContext) => Promise<ExitCode>;
}
