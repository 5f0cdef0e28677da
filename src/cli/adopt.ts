import { exitCodes } from '../errors/exit-codes.ts';
import { Failure } from '../errors/failure.ts';
import type { Command } from './context.ts';
import { requireConsent } from './consent.ts';
import { withDatabase } from './with-database.ts';

export const adoptCommand: Command = {
  name: 'adopt',
  summary: 'stamp a database without version information with the revision that its schema is at',
  usage: '[--revision ID[,ID…]] [--dry-run] [--force [--yes]]',
  flags: ['dry-run', 'force', 'yes'],
  options: ['revision'],
  reports: true,
  announced: true,
  once: true,
  async run(context) {
    const { flags, options } = context.arguments;
    // loaded here: the gate must start fast
    const { adopt, planAdoption, readRevisions } = await import('../operations/adopt.ts');
    const named = options.get('revision');
    const request = { revisions: named === undefined ? null : readRevisions(named), force: flags.has('force') };
    if (request.force && named === undefined) {
      throw new Failure({ kind: 'usage', message: '--force needs --revision: say which revision the database is at.' });
    }
    const consent = (what: string): Promise<void> => requireConsent(context, what);
    if (flags.has('dry-run')) {
      const agree = (): Promise<void> => Promise.resolve();
      await withDatabase(context, 'adopt', 'read', async (database) => {
        const { rows } = await planAdoption(request, { ...context, database, consent: agree });
        context.log.info(`Without --dry-run the database would be stamped ${rows.join(' with ')}.`);
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
