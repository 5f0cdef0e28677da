import { exitCodes } from '../errors/exit-codes.ts';
import { Failure } from '../errors/failure.ts';
import type { Command } from './context.ts';
import { requireConsent } from './consent.ts';
import { withDatabase } from './with-database.ts';
import { summaries, usageTexts } from '../report/command-line.ts';
import { adoptionMessages } from '../report/gate-messages.ts';

export const adoptCommand: Command = {
  name: 'adopt',
  summary: summaries.adopt,
  usage: '[--revision ID[,ID…]] [--dry-run] [--force [--yes]]',
  flags: ['dry-run', 'force', 'yes'],
  options: ['revision'],
  reports: true,
  announced: true,
  once: true,
  async run(context) {
    const { flags, options } = context.arguments;
    // loaded here: the gate must start fast
    const { adopt, readRevisions, showAdoption } = await import('../operations/adopt.ts');
    const named = options.get('revision');
    const request = { revisions: named === undefined ? null : readRevisions(named), force: flags.has('force') };
    if (request.force && named === undefined) {
      throw new Failure({ kind: 'usage', message: usageTexts.forceNeedsRevision });
    }
    const consent = (what: string): Promise<void> => requireConsent(context, what);
    if (flags.has('dry-run')) {
      const agree = (): Promise<void> => Promise.resolve();
      await withDatabase(context, 'adopt', 'read', async (database) => {
        const rows = await showAdoption(request, { ...context, database, consent: agree });
        context.log.info(adoptionMessages.wouldStamp(rows));
        context.output.result('', { adopts: rows });
      });
    } else {
      await withDatabase(context, 'adopt', 'write', (database) =>
        database.withLock(() => adopt(request, { ...context, database, consent })),
      );
    }
    return exitCodes.healthy;
  },
};
