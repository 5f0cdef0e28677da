import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { reportLook } from '../gate/state-report.ts';
import { renderPlan } from '../report/state-text.ts';
import { loadHead } from '../schema/promise.ts';
import type { Command, CommandContext } from './context.ts';
import { lookingCommand } from './looking.ts';
import { withDatabase } from './open.ts';

const looking = lookingCommand('plan', 'say what the gate would do, revision by revision', 'gate', renderPlan);

export const planCommand: Command = {
  ...looking,
  usage: '[--rehearse]',
  flags: ['rehearse'],
  run: (context) => (context.arguments.flags.has('rehearse') ? showRehearsal(context) : looking.run(context)),
};

/** Does the pending work and takes it back: the only way of looking that writes, and takes the lock therefore. */
async function showRehearsal(context: CommandContext): Promise<ExitCode> {
  const { rehearse } = await import('../gate/rehearse.ts');
  const { renderRehearsal } = await import('../report/rehearsal-text.ts');
  return withDatabase(context, 'plan', 'write', async (database) => {
    const { seen, rehearsal } = await rehearse({ ...context, database });
    const report = reportLook(database, seen, await loadHead(database.engine), exitCodes.healthy);
    context.output.result(renderRehearsal(rehearsal), { ...report, rehearsal });
    return exitCodes.healthy;
  });
}
