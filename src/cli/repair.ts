import { type ExitCode, exitCodes } from '../errors/exit-codes.ts';
import { Failure } from '../errors/failure.ts';
import type { Command, CommandContext } from './context.ts';
import { withDatabase } from './with-database.ts';
import { summaries } from '../report/command-line.ts';

export const repairCommand: Command = {
  name: 'repair',
  summary: summaries.repair,
  usage: '[--dry-run]',
  flags: ['dry-run'],
  reports: true,
  announced: true,
  once: true,
  async run(context) {
    if (context.arguments.flags.has('dry-run')) return showRepair(context);
    const { runRepair } = await import('../operations/repair.ts');
    await withDatabase(context, 'repair', 'write', (database) => runRepair({ ...context, database }));
    return exitCodes.healthy;
  },
};

/** Prints the SQL that a repair would run, or the obstacle to it. */
async function showRepair(context: CommandContext): Promise<ExitCode> {
  const { planRepairOf } = await import('../operations/repair.ts');
  const { commandsFor } = await import('../report/commands.ts');
  const { statementsOf } = await import('../repair/repair-plan.ts');
  const { describeRepair, renderRepair } = await import('../report/schema-differences.ts');
  return withDatabase(context, 'repair', 'read', async (database) => {
    const { planned: plan, obstacle } = await planRepairOf(database, context.config);
    const statements = statementsOf(plan.steps, database.engine);
    const commands = commandsFor(context.config);
    context.output.result(renderRepair(plan, statements, commands), describeRepair(plan, statements, commands));
    if (plan.unsafe.length > 0) return exitCodes.drifted;
    if (obstacle !== null) throw new Failure(obstacle);
    return exitCodes.healthy;
  });
}
