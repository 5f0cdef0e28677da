import { type ExitCode, exitCodes } from '../errors/exit-codes.ts';
import { reportAssessment } from '../assessment/state-report.ts';
import { describeOrders } from '../report/run-once-messages.ts';
import { renderPlan } from '../report/status.ts';
import type { Archive } from '../archive/reader.ts';
import { assess } from '../assessment/assess.ts';
import { loadHead } from '../schema/expected-schema.ts';
import type { Command, CommandContext } from './context.ts';
import { archiveAtStart, inspectionCommand, ordersOf, withRestoreAtStart } from './status.ts';
import { withDatabase } from './with-database.ts';
import { summaries } from '../report/command-line.ts';

const planInspection = inspectionCommand('plan', summaries.plan, 'gate', renderPlan);

export const planCommand: Command = {
  ...planInspection,
  usage: '[--rehearse]',
  flags: ['rehearse'],
  run: (context) => (context.arguments.flags.has('rehearse') ? showRehearsal(context) : planInspection.run(context)),
};

/** Does the pending work and rolls it back. It writes, so it takes the lock. */
async function showRehearsal(context: CommandContext): Promise<ExitCode> {
  const { rehearse } = await import('../operations/rehearse.ts');
  const { renderRehearsal } = await import('../report/status.ts');
  const archive = await archiveAtStart(context);
  const { orders } = await ordersOf(context);
  if (orders !== undefined) context.log.warn(describeOrders(orders.commands, orders.why));
  if (archive !== null) return rehearseRestore(archive, context);
  return withDatabase(context, 'plan', 'write', async (database) => {
    const { seen, rehearsal } = await rehearse({ ...context, database });
    const report = reportAssessment(database, seen, await loadHead(database.engine), exitCodes.healthy);
    context.output.result(renderRehearsal(rehearsal), { ...report, rehearsal });
    return exitCodes.healthy;
  });
}

/** Rehearses the restore that the gate would do first: restores the archive beside the live database, then drops it. */
async function rehearseRestore(archive: Archive, context: CommandContext): Promise<ExitCode> {
  const { rehearseAtStart } = await import('../restore/restore-at-start.ts');
  const { renderRestoreRehearsal } = await import('../report/status.ts');
  return withDatabase(context, 'plan', 'write', (database) =>
    database.withLock(async () => {
      const seen = await withRestoreAtStart(
        await assess(database, context.config, 'whole'),
        archive,
        database,
        context,
      );
      const report = reportAssessment(database, seen, await loadHead(database.engine), exitCodes.healthy);
      const given = { ...context, disconnect: false, trusted: false, onBytes: () => undefined };
      await rehearseAtStart(archive, database, given);
      context.output.result(renderRestoreRehearsal(archive.file), { ...report, rehearsal: { restored: archive.file } });
      return exitCodes.healthy;
    }),
  );
}
