import type { Cause } from '../model/cause.ts';
import { commandPrefixOf, serviceNamesOf } from '../config/command-prefix.ts';
import { metricsFileOf, readConfig, readSettings, reportFileOf, type Settings } from '../config/config.ts';
import { ConfigurationError } from '../config/configuration-error.ts';
import { type NotificationSettings, readNotification, secretsOfNotification } from '../config/notification.ts';
import { secretsOf } from '../config/secrets.ts';
import { readArguments } from './arguments.ts';
import { commandHelp, helpText, loadCommands } from './commands.ts';
import { type Command, type CommandArguments, type CommandContext, isAnnounced, type Request } from './context.ts';
import { selectServer } from './with-database.ts';
import { causeOf } from '../database/error-cause.ts';
import { displayNameOf } from '../database/target-name.ts';
import { type ExitCode, exitCodes } from '../errors/exit-codes.ts';
import { Failure, type Problem, reasonOf } from '../errors/failure.ts';
import type { RunEnd } from '../operations/run-report.ts';
import type { Announcer } from '../notify/announcer.ts';
import { type Notice, renderBanner } from '../report/banner.ts';
import { type Commands, commandsFor } from '../report/commands.ts';
import { type Log, openLog } from '../report/log.ts';
import type { Message } from '../report/run-end.ts';
import { type JsonObject, openOutput, type Output, type Streams } from '../report/output.ts';
import { openRecord, type RunRecord } from '../report/run-record.ts';
import { versionFacts, versionText } from '../report/command-line.ts';

/** Everything of the process that a run uses. */
export interface Invocation {
  readonly version: string;
  /** The text of `help settings`, taken from .env.example. */
  readonly settings: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
  readonly streams: Streams;
  /** Aborted with the name of a signal when the run is to stop. */
  readonly signal: AbortSignal;
}

/** Runs one command, from its arguments to its exit code. It never throws: every error is reported. */
export async function run(invocation: Invocation): Promise<ExitCode> {
  const { streams, version, signal } = invocation;
  const startedAt = new Date();
  const recorder = openRecord();
  // nothing that may hold a secret is printed before the secrets are known
  let secrets: readonly string[] = [];
  // read before the arguments are parsed: a usage error is printed as JSON, too
  const json = invocation.arguments.includes('--json');
  // https://no-color.org: set, and not empty
  const plain = (invocation.environment['NO_COLOR'] ?? '') !== '' || invocation.environment['TERM'] === 'dumb';
  let output = openOutput(streams, secrets, { machine: json, plain });
  let command: Command | null = null;
  let database = '';
  let commands = commandsWithoutConfig(invocation.environment);
  let announced = false;
  let announcer: Announcer | null = null;
  let backupFolder: string | null = null;
  let log: Log | null = null;
  let ended: CommandEnd;
  try {
    const request = await readArguments(invocation.arguments);
    if (request.kind !== 'command') {
      const { text, facts = { text } } = await answerQuestion(request, invocation);
      if (json) output.json({ ...facts, exitCode: exitCodes.healthy });
      else output.result(text, facts);
      return exitCodes.healthy;
    }
    ({ command } = request);
    announced = isAnnounced(command, request.arguments);
    // a notification is also sent if the settings are invalid
    if (announced) {
      const notification = readNotification(invocation.environment, invocation.workingDirectory);
      secrets = secretsOfNotification(notification);
      announcer = await announcerOf(notification, signal);
    }
    const prepared = prepare(command, request.arguments, invocation);
    secrets = secretsOf(prepared.config);
    ({ backupFolder } = prepared.config);
    const machine = json || command.writesToOutput?.(request.arguments) === true;
    output = openOutput(streams, secrets, { machine, plain });
    log = await openLog(prepared.config.logFormat, output);
    const useConfig = (config: Settings): void => {
      commands = commandsFor({ ...config, words: invocation.arguments });
      if (config.database !== null) database = displayNameOf(config.database);
    };
    useConfig(prepared.config);
    const commandLine = { loadCommands, read: readArguments };
    const { settings, workingDirectory } = invocation;
    const given = { version, settings, workingDirectory, arguments: request.arguments, commandLine };
    const exitCode = await prepared.start({ ...given, output, log, recorder, signal }, useConfig);
    ended = { exitCode, problem: null, message: null };
  } catch (error) {
    ended = await report(withCommand(problemOf(error, signal, database), command), error, {
      record: recorder.record,
      output,
      commands,
    });
  }
  const end = { ...ended, version, command: command?.name ?? null, startedAt, finishedAt: new Date() };
  if (json) await printObject(output, recorder.record, end);
  const files = { report: command?.reports === true, metrics: announced };
  await writeEndFiles(files, end, { invocation, record: recorder.record, output, secrets, backupFolder });
  if (announcer !== null && needsNotification(ended)) {
    log ??= await openLog('human', output);
    await sendNotification(announcer, { record: recorder.record, end, message: ended.message, log, secrets });
  }
  return ended.exitCode;
}

/** The commands that advice names until the configuration is known. */
function commandsWithoutConfig(environment: Invocation['environment']): Commands {
  return commandsFor({
    commandPrefix: commandPrefixOf(environment),
    services: serviceNamesOf(environment),
    database: null,
    backupFolder: '/data/uploads/backups',
    uploadRoots: [],
  });
}

/** The answer to `help`, `help settings` or `version`. `facts` are for `--json`, if they are more than the text. */
async function answerQuestion(
  request: Exclude<Request, { readonly kind: 'command' }>,
  { version, settings }: Invocation,
): Promise<{ readonly text: string; readonly facts?: JsonObject }> {
  switch (request.kind) {
    case 'help':
      return {
        text: request.command === null ? helpText(version, await loadCommands()) : commandHelp(request.command),
      };
    case 'settings':
      return { text: settings };
    case 'version':
      return { text: versionText(version), facts: versionFacts(version) };
  }
}

interface EndContext {
  readonly invocation: Pick<Invocation, 'environment' | 'workingDirectory'>;
  readonly record: RunRecord;
  readonly output: Output;
  readonly secrets: readonly string[];
  /** Null if the configuration could not be read. */
  readonly backupFolder: string | null;
}

/** Writes the report and the metrics of a run, each if its setting names a file. The modules are only loaded then. */
async function writeEndFiles(
  wanted: { readonly report: boolean; readonly metrics: boolean },
  end: RunEnd,
  { invocation: { environment, workingDirectory }, record, output, secrets, backupFolder }: EndContext,
): Promise<void> {
  if (wanted.report) {
    await writeIfWanted('report', reportFileOf(environment, workingDirectory), output, async (file) => {
      const { reportRun, writeReport } = await import('../operations/run-report.ts');
      writeReport(file, await reportRun(record, end), secrets);
    });
  }
  if (wanted.metrics) {
    await writeIfWanted('metrics', metricsFileOf(environment, workingDirectory), output, async (file) => {
      const { writeMetrics } = await import('../operations/metrics.ts');
      const { healthyAtOf } = await import('../state-folder/run-stamp.ts');
      writeMetrics(file, record, end, backupFolder === null ? null : healthyAtOf({ backupFolder }));
    });
  }
}

/** The module is only loaded if a notification is configured. */
async function announcerOf(notification: NotificationSettings, signal: AbortSignal): Promise<Announcer | null> {
  const { recipients, ping, faults } = notification;
  if (recipients.length === 0 && ping === null && faults.length === 0) return null;
  const { openAnnouncer } = await import('../notify/announcer.ts');
  return openAnnouncer(notification, signal);
}

/** Whether the end of a run is sent as a notification: a person who stopped the run or declined already knows. */
function needsNotification({ problem }: CommandEnd): boolean {
  return problem?.kind !== 'interrupted' && problem?.kind !== 'declined';
}

/** Sends the notification. If that fails, the run does not fail. */
async function sendNotification(
  announcer: Announcer,
  { record, end, message, log, secrets }: Announcement,
): Promise<void> {
  try {
    const { reportRun } = await import('../operations/run-report.ts');
    const { describeSuccess } = await import('../report/run-end.ts');
    const changed = record.committed !== null;
    const outcome = end.exitCode !== exitCodes.healthy ? 'failure' : changed ? 'change' : 'nothing';
    const summary = message ?? describeSuccess(end.command ?? '', record, changed);
    await announcer.end({ ...summary, outcome, report: { ...(await reportRun(record, end)) } }, { log, secrets });
  } catch (error) {
    const { describeNotificationFailure } = await import('../report/run-end.ts');
    log.warn(describeNotificationFailure(reasonOf(error)));
  }
}

interface Announcement {
  readonly record: RunRecord;
  readonly end: RunEnd;
  readonly message: Message | null;
  readonly log: Log;
  readonly secrets: readonly string[];
}

/** Prints the object of `--json`: the result of the command, or the state if it failed or has no result. */
async function printObject(output: Output, record: RunRecord, end: RunEnd): Promise<void> {
  const { lastResult } = output;
  const object = lastResult === null || end.problem !== null ? await reportToPrograms(record, end) : lastResult;
  output.json({ ...object, exitCode: end.exitCode });
}

async function reportToPrograms(record: RunRecord, end: RunEnd): Promise<JsonObject> {
  const { reportState } = await import('../operations/run-report.ts');
  return { ...(await reportState(record, end)) };
}

interface CommandEnd extends Pick<RunEnd, 'exitCode' | 'problem'> {
  /** What a person was told of a failure. */
  readonly message: Message | null;
}

/** A command together with the settings that it needs. @throws Failure `configuration` */
function prepare(command: Command, given: CommandArguments, { environment, workingDirectory }: Invocation): Prepared {
  try {
    if (command.database === 'optional') {
      return prepareWith(command, readSettings(environment, workingDirectory), command.usesDatabase(given));
    }
    return prepareWith(command, readConfig(environment, workingDirectory), true);
  } catch (error) {
    if (error instanceof ConfigurationError) throw new Failure({ kind: 'configuration', faults: error.faults });
    throw error;
  }
}

function prepareWith<Known extends Settings>(
  command: { readonly name: string; readonly run: (context: CommandContext<Known>) => Promise<ExitCode> },
  config: Known,
  usesDatabase: boolean,
): Prepared {
  return {
    config,
    async start(given, useConfig) {
      const selected = usesDatabase ? await selectServer({ ...given, config }, command.name) : config;
      useConfig(selected);
      return command.run({ ...given, config: selected });
    },
  };
}

interface Prepared {
  readonly config: Settings;
  /** Runs the command. Calls `useConfig` with the settings of the run, in which one server is selected. */
  readonly start: (given: Omit<CommandContext, 'config'>, useConfig: (config: Settings) => void) => Promise<ExitCode>;
}

/** The problem behind an error; null for a bug. After a signal every error counts as the interruption. */
function problemOf(error: unknown, signal: AbortSignal, database: string): Problem | null {
  if (signal.aborted) return { kind: 'interrupted', signal: signal.reason === 'SIGINT' ? 'SIGINT' : 'SIGTERM' };
  if (error instanceof Failure) return error.problem;
  // these can happen at any statement
  const cause = causeOf(error);
  const reason = reasonOf(error);
  if (cause.kind === 'connection-lost') return { kind: 'connection-lost', database, reason };
  return isBug(cause) ? null : { kind: 'database-failed', database, reason, cause };
}

/** Adds to a usage error which command was meant, so that the advice is the help of this command. */
function withCommand(problem: Problem | null, command: Command | null): Problem | null {
  return problem?.kind === 'usage' && command !== null ? { about: command.name, ...problem } : problem;
}

/** Whether an unexpected error is a bug in db-init: the database refused rows, or the cause is unknown. */
function isBug({ kind }: Cause): boolean {
  return kind === 'rows' || kind === 'other';
}

/** Reports a failure. The modules for it are only loaded here. */
async function report(
  problem: Problem | null,
  error: unknown,
  { record, output, commands }: { record: RunRecord; output: Output; commands: Commands },
): Promise<CommandEnd> {
  const { describeDeclined, describeProblem } = await import('../report/error-messages.ts');
  const { withRecord } = await import('../report/run-end.ts');
  const failure = problem === null ? null : new Failure(problem);
  const exitCode = failure?.exitCode ?? exitCodes.unexpected;
  const notice = withRecord(problem === null ? describeBug(error) : describeProblem(problem, commands), record);
  const banner = renderBanner(notice, exitCode);
  output.notice(problem?.kind === 'declined' ? describeDeclined(record) : `\n${banner}`);
  const reported = {
    kind: problem?.kind ?? 'unexpected',
    message: [`${notice.title}.`, ...notice.happened].filter((line) => line !== '').join(' '),
  } as const;
  return { exitCode, problem: reported, message: { title: notice.title, text: banner } };
}

/** Writes a file about the end of a run, if a setting names one. If that fails, the run does not fail. */
async function writeIfWanted(
  what: string,
  file: string | null,
  output: Output,
  write: (file: string) => Promise<void>,
): Promise<void> {
  if (file === null) return;
  try {
    await write(file);
  } catch (error) {
    const { describeUnwritten } = await import('../report/run-end.ts');
    output.notice(describeUnwritten(what, file, reasonOf(error)));
  }
}

function describeBug(error: unknown): Notice {
  return {
    title: 'Unexpected failure: this is a bug in db-init',
    happened: [reasonOf(error), ...(error instanceof Error ? (error.stack ?? '').split('\n').slice(1, 6) : [])],
    safe: 'a transaction that was open was rolled back.',
    options: ['Start again. If it happens again, report it with the lines above.'],
  };
}
