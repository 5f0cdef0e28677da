import { existsSync } from 'node:fs';
import { exitCodes } from '../errors/exit-codes.ts';
import { runGate } from '../operations/gate.ts';
import { onceFileOf } from '../state-folder/state-paths.ts';
import type { Command, CommandContext } from './context.ts';
import { withDatabase } from './with-database.ts';
import { summaries } from '../report/command-line.ts';

export const gateCommand: Command = {
  name: 'gate',
  summary: summaries.gate,
  usage: '',
  flags: [],
  reports: true,
  announced: true,
  async run(context) {
    for (const hint of context.config.hints) context.log.warn(hint);
    const { restoreFrom, runOnce } = context.config;
    if (runOnce.length > 0 || existsSync(onceFileOf(context.config))) await runOrderedCommands(context);
    if (restoreFrom.length > 0) await restoreFirst(restoreFrom, context);
    const depth = context.arguments.flags.has('json') ? 'whole' : 'quick';
    await withDatabase(context, 'gate', 'write', (database) => runGate({ ...context, database }, depth));
    return exitCodes.healthy;
  },
};

/** Runs the commands of TT_RUN_ONCE; without the variable, deletes the record of earlier ones. */
async function runOrderedCommands(context: CommandContext): Promise<void> {
  const { runOnce } = await import('./run-once.ts');
  await runOnce(context);
}

async function restoreFirst(places: readonly string[], context: CommandContext): Promise<void> {
  const { restoreAtStart } = await import('../restore/restore-at-start.ts');
  // compose has not started the application yet, and processes of other containers cannot be seen from here
  const disconnect = context.config.database.kind === 'sqlite';
  const given = { ...context, disconnect, trusted: false, onBytes: () => undefined };
  await restoreAtStart(places, given, (work) =>
    withDatabase(context, 'restore', 'write', (live) => live.withLock(() => work(live))),
  );
}
