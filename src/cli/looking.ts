import { loadHead } from '../schema/promise.ts';
import { type Look, look } from '../gate/look.ts';
import { gateExitCode, reportLook, type StateReport, verifyExitCode } from '../gate/state-report.ts';
import { renderStatus, renderVerdict } from '../report/state-text.ts';
import { type Commands, commandsFor } from '../report/commands.ts';
import type { CommandContext, DatabaseCommand } from './context.ts';
import { withDatabase } from './open.ts';

/**
 * Commands that look and tell: they never write, and take no lock.
 * @param judged what the gate would do now, or the schema alone, whatever the gate could do about it
 */
export function lookingCommand(
  name: string,
  summary: string,
  judged: 'gate' | 'schema',
  render: (report: StateReport, seen: Look, commands: Commands) => string,
): DatabaseCommand {
  return {
    name,
    summary,
    usage: '',
    flags: [],
    run: async (context: CommandContext) => {
      const { restoreFrom } = context.config;
      if (judged === 'gate' && restoreFrom.length > 0) {
        const { announceRestoreAtStart } = await import('../restore/at-start.ts');
        await announceRestoreAtStart(restoreFrom, context);
      }
      return withDatabase(context, name, 'read', async (database) => {
        const looked = await look(database, context.config);
        const seen = judged === 'gate' ? looked : { ...looked, obstacle: null };
        const exitCode = judged === 'gate' ? gateExitCode(seen) : verifyExitCode(seen);
        const report = reportLook(database, seen, await loadHead(database.engine), exitCode);
        context.output.result(render(report, seen, commandsFor(context.config)), { ...report });
        return exitCode;
      });
    },
  };
}

export const statusCommand = lookingCommand('status', 'say which state the database is in', 'gate', renderStatus);

export const verifyCommand = lookingCommand(
  'verify',
  'compare the whole schema with what its revision promises',
  'schema',
  renderVerdict,
);
