import { accessSync, constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../config/config.ts';
import { type ExitCode, exitCodes } from '../errors/exit-codes.ts';
import { Failure, reasonOf } from '../errors/failure.ts';
import { isPersistentFolder, nearestExisting } from '../platform/volumes.ts';
import { renderJson } from '../report/output.ts';
import { onceTexts, whyNotAgain, writtenOnce } from '../report/run-once-messages.ts';
import { removeOnce, type OnceProgress, readOnce, writeOnce } from '../state-folder/run-once-progress.ts';
import { onceFileOf } from '../state-folder/state-paths.ts';
import {
  type Command,
  type CommandArguments,
  type CommandContext,
  type CommandLine,
  matchesVerb,
  type Request,
} from './context.ts';
import { withDatabase } from './with-database.ts';

/** A command that TT_RUN_ONCE names. */
interface OrderedCommand {
  readonly words: readonly string[];
  readonly command: Command;
  readonly given: CommandArguments;
}

type OnceConfig = Pick<Config, 'runOnce' | 'backupFolder'>;

/**
 * Runs the commands in TT_RUN_ONCE, one after the other, each once. A file in the backup folder records the start of
 * each command before it runs, and its end afterwards, so that no command runs twice. A command that failed and has
 * changed nothing is tried again at the next starts, a few times. A command that could not begin (no connection,
 * another run holds the lock, a signal) is tried again at every start.
 * @throws Failure of a command; `configuration` if a command is not allowed here; `run-once-refused` if the file cannot
 *   be read or written
 */
export async function runOnce(context: CommandContext): Promise<void> {
  const { config, log, commandLine } = context;
  const orders = await parseOrders(config, commandLine);
  if (orders.length === 0) return removeProgress(context);
  requireProgressFolder(config);
  for (;;) {
    // of two starts at the same time only one runs the command
    const order = await underLock(context, () => startNext(orders, context));
    if (order === null) return;
    log.warn(onceTexts.begins(order.words));
    await executeOrder(order, context);
    const isLast = order === orders.at(-1);
    log.info(isLast ? onceTexts.endedAll(order.words) : onceTexts.ended(order.words));
    if (isLast) return;
  }
}

/**
 * What TT_RUN_ONCE does at the next start: its commands, and the reason why they will not run, if there is one.
 * @throws Failure `configuration`, `run-once-refused`
 */
export async function ordersAtStart(
  config: OnceConfig,
  commandLine: CommandLine,
): Promise<{ readonly commands: string; readonly why: string | null }> {
  const commands = (await parseOrders(config, commandLine)).map(({ words }) => words);
  requireProgressFolder(config);
  const why = whyNotAgain(commands, readProgress(config));
  if (why === null) requireWritableProgress(config);
  return { commands: writtenOnce(commands), why };
}

/** Checks, without writing, that the next start can record the commands. @throws Failure `run-once-refused` */
function requireWritableProgress(config: OnceConfig): void {
  try {
    accessSync(nearestExisting(dirname(onceFileOf(config))), constants.W_OK | constants.X_OK);
  } catch (error) {
    throw refusal(config, reasonOf(error));
  }
}

/** @throws Failure `configuration` */
async function parseOrders(
  { runOnce: lines }: OnceConfig,
  { loadCommands, read }: CommandLine,
): Promise<readonly OrderedCommand[]> {
  const orders: OrderedCommand[] = [];
  for (const words of lines) {
    const request = await readOrder(words, read);
    const isAllowed =
      request.kind === 'command' &&
      matchesVerb(request.command.once, request.arguments) &&
      !request.arguments.flags.has('help');
    if (!isAllowed) {
      const allowed = (await loadCommands()).filter(({ once }) => once !== undefined);
      throw orderUnusable(onceTexts.notNamed(allowed));
    }
    const { command, arguments: given } = request;
    if (command.writesToOutput?.(given) === true) throw orderUnusable(onceTexts.stream);
    orders.push({ words, command, given });
  }
  return orders;
}

/** @throws Failure `configuration` in place of `usage` */
async function readOrder(words: readonly string[], read: CommandLine['read']): Promise<Request> {
  try {
    return await read(words);
  } catch (error) {
    if (error instanceof Failure && error.problem.kind === 'usage') throw orderUnusable(error.problem.message);
    throw error;
  }
}

const orderUnusable = (problem: string): Failure =>
  new Failure({ kind: 'configuration', faults: [{ variable: 'TT_RUN_ONCE', problem }] });

/** Deletes the record at a start without the variable: the same value later counts as a new order. */
function removeProgress({ config, log }: CommandContext): void {
  if (!existsSync(onceFileOf(config))) return;
  try {
    removeOnce(config);
  } catch (error) {
    log.info(onceTexts.notForgotten(reasonOf(error)));
  }
}

/** @throws Failure `run-once-refused` */
function requireProgressFolder(config: OnceConfig): void {
  if (!isPersistentFolder(config.backupFolder)) throw refusal(config, null);
}

function readProgress(config: OnceConfig): OnceProgress | null {
  try {
    return readOnce(config);
  } catch (error) {
    throw refusal(config, reasonOf(error));
  }
}

/** @param reason null if there is no persistent folder for the record */
function refusal(config: OnceConfig, reason: string | null): Failure {
  const { backupFolder: folder } = config;
  return new Failure({ kind: 'run-once-refused', folder, file: onceFileOf(config), reason });
}

/** Runs `work` under the run lock. A SQLite file that does not exist is not created for it. */
async function underLock<Result>(context: CommandContext, work: () => Result): Promise<Result> {
  const { database } = context.config;
  if (database.kind === 'sqlite' && !existsSync(database.file)) return work();
  return withDatabase(context, 'gate', 'write', (live) => live.withLock(() => Promise.resolve(work())));
}

/** Records the start of the next command. @returns null if there is none */
function startNext(orders: readonly OrderedCommand[], { config, log }: CommandContext): OrderedCommand | null {
  const commands = orders.map(({ words }) => words);
  const memory = readProgress(config);
  const why = whyNotAgain(commands, memory);
  if (why !== null) {
    log.warn(why);
    return null;
  }
  const isSame = memory !== null && JSON.stringify(memory.commands) === JSON.stringify(commands);
  const { finished, failures } = isSame ? memory : { finished: 0, failures: 0 };
  const next = { commands, finished, failures, begunAt: new Date().toISOString(), end: null };
  const order = orders[finished];
  if (order === undefined) return null;
  try {
    writeOnce(config, next);
  } catch (error) {
    throw refusal(config, reasonOf(error));
  }
  return order;
}

async function executeOrder({ words, command, given }: OrderedCommand, context: CommandContext): Promise<void> {
  const { config, recorder, signal } = context;
  // TT_FORCE_RESET_DB does not count here: TT_RUN_ONCE must contain the consent to delete all data
  const order = {
    ...context,
    ordered: true,
    config: { ...config, forceReset: false },
    arguments: atStart(command, given, config),
  };
  const committed = recorder.record.committed;
  try {
    await command.run({ ...order, output: outputOf(context, given) });
  } catch (error) {
    const exitCode = signal.aborted
      ? exitCodes.terminated
      : error instanceof Failure
        ? error.exitCode
        : exitCodes.unexpected;
    const { record } = recorder;
    recordEnd(exitCode, record.committed !== committed || record.swap !== null, context);
    throw withOrder(words, command, error);
  }
  recordEnd(exitCodes.healthy, true, context);
}

/** The banner of a command that lacks consent shows it with the consent: the command line of this run is the gate's. */
function withOrder(words: readonly string[], { name }: Command, error: unknown): unknown {
  if (!(error instanceof Failure) || error.problem.kind !== 'usage') return error;
  const { lacking = [] } = error.problem;
  const command = lacking.length === 0 ? error.problem.command : { words: [...words, ...lacking] };
  return new Failure({ about: name, ...error.problem, ...(command && { command }) }, { cause: error });
}

/**
 * Adds `--disconnect` to a restore of a SQLite file: compose has not started the application yet, and processes of
 * other containers cannot be seen from here.
 */
function atStart(command: Command, given: CommandArguments, { database }: Config): CommandArguments {
  if (database.kind !== 'sqlite' || command.name !== 'restore' || given.flags.has('drop-former')) return given;
  return { ...given, flags: new Set([...given.flags, 'disconnect']) };
}

/** Sends the result of a command to the log, because `gate --json` prints only the object of the gate. */
function outputOf({ output }: CommandContext, { flags }: CommandArguments): CommandContext['output'] {
  return {
    ...output,
    result(text, value) {
      output.log(flags.has('json') ? `${renderJson(value, (entry) => entry)}\n` : text);
    },
  };
}

/** Exit codes of commands that could not begin: these failures do not count, and the next start tries again. */
const retriedAlways: ReadonlySet<ExitCode> = new Set([
  exitCodes.unreachable,
  exitCodes.locked,
  exitCodes.interrupted,
  exitCodes.terminated,
]);

function recordEnd(exitCode: ExitCode, changed: boolean, { config, log }: CommandContext): void {
  try {
    const memory = readOnce(config);
    if (memory === null) return;
    const { finished, failures } = memory;
    const end = { at: new Date().toISOString(), exitCode, changed };
    if (exitCode === exitCodes.healthy) writeOnce(config, { ...memory, finished: finished + 1, failures: 0, end });
    else writeOnce(config, { ...memory, failures: failures + (retriedAlways.has(exitCode) ? 0 : 1), end });
  } catch (error) {
    log.warn(onceTexts.notRemembered(reasonOf(error)));
  }
}
