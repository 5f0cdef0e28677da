import { type Config, readConfig } from './config/config.ts';
import { ConfigurationError } from './config/configuration-error.ts';
import { secretsOf } from './config/secrets.ts';
import { readArguments, type Request } from './cli/arguments.ts';
import { helpText } from './cli/commands.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { Failure, type Problem, reasonOf } from './failure.ts';
import { renderBanner } from './report/banner.ts';
import { openLog } from './report/log.ts';
import { openOutput, type Output, type Streams } from './report/output.ts';
import { describeProblem } from './report/problems.ts';
import { reportFailure } from './gate/state-report.ts';

/** Everything of the process that a run uses. */
export interface Invocation {
  readonly version: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
  readonly streams: Streams;
  /** Aborted with the name of a signal when the run is to stop. */
  readonly signal: AbortSignal;
}

/** Runs one command from its arguments to its exit code. Whatever fails is told to a person, and never thrown. */
export async function run(invocation: Invocation): Promise<ExitCode> {
  const { streams, version, signal } = invocation;
  // before the secrets are known nothing is printed that could hold one
  let output = openOutput(streams, [], false);
  let json = false;
  try {
    const request = readArguments(invocation.arguments);
    if (request.kind === 'help') return printed(output, helpText(version));
    if (request.kind === 'version') return printed(output, `db-init ${version}\n`);
    json = request.arguments.flags.has('json');
    const config = configOf(invocation);
    output = openOutput(streams, secretsOf(config), json);
    return await runCommand(request, config, output, invocation);
  } catch (error) {
    return report(problemOf(error, signal), error, output, json);
  }
}

function printed(output: Output, text: string): ExitCode {
  output.result(text);
  return exitCodes.healthy;
}

function configOf({ environment, workingDirectory }: Invocation): Config {
  try {
    return readConfig(environment, workingDirectory);
  } catch (error) {
    if (error instanceof ConfigurationError) throw new Failure({ kind: 'configuration', faults: error.faults });
    throw error;
  }
}

async function runCommand(
  { command, arguments: given }: Extract<Request, { kind: 'command' }>,
  config: Config,
  output: Output,
  { version, signal }: Invocation,
): Promise<ExitCode> {
  const log = await openLog(config.logFormat, (text) => output.log(text));
  return command.run({ version, config, output, log, signal, arguments: given });
}

/** What was thrown, as a problem; null for a bug. An interrupted run fails in many ways that all mean the same. */
function problemOf(error: unknown, signal: AbortSignal): Problem | null {
  if (signal.aborted) return { kind: 'interrupted', signal: signal.reason === 'SIGINT' ? 'SIGINT' : 'SIGTERM' };
  return error instanceof Failure ? error.problem : null;
}

function report(problem: Problem | null, error: unknown, output: Output, json: boolean): ExitCode {
  const failure = problem === null ? null : new Failure(problem);
  const exitCode = failure?.exitCode ?? exitCodes.unexpected;
  const notice = problem === null ? describeBug(error) : describeProblem(problem);
  output.notice(`\n${renderBanner(notice, exitCode)}`);
  if (json) {
    const message = [notice.title, ...notice.happened].join(' ');
    const reported = reportFailure([{ kind: problem?.kind ?? 'unexpected', object: '', message }], exitCode);
    output.result(`${JSON.stringify(reported, null, 2)}\n`);
  }
  return exitCode;
}

function describeBug(error: unknown): ReturnType<typeof describeProblem> {
  return {
    title: 'Unexpected failure: this is a bug in db-init',
    happened: [reasonOf(error), ...(error instanceof Error ? (error.stack ?? '').split('\n').slice(1, 6) : [])],
    safe: 'a transaction that was open was rolled back.',
    options: ['Start again. If it happens again, report it with the lines above.'],
  };
}
