import { basename } from 'node:path';
import type { Config } from '../config/config.ts';
import { exitCodes } from '../errors/exit-codes.ts';
import { consentByName, yesDeleteAllData } from './consent.ts';
import type { Command } from './context.ts';
import { withDatabase } from './with-database.ts';
import { summaries } from '../report/command-line.ts';

export const resetCommand: Command = {
  name: 'reset',
  summary: summaries.reset,
  usage: `[--${yesDeleteAllData} DATABASE] [--disconnect] [--no-backup]`,
  flags: ['disconnect', 'no-backup'],
  options: [yesDeleteAllData],
  reports: true,
  announced: true,
  once: true,
  async run(context) {
    const { flags } = context.arguments;
    // without consent no connection is opened
    const consent = consentByName(context, consentNameOf(context.config));
    const request = { disconnect: flags.has('disconnect'), backup: !flags.has('no-backup') };
    // loaded here: the gate must start fast
    const { reset } = await import('../reset/reset.ts');
    await withDatabase(context, 'reset', 'write', (database) => reset(request, { ...context, database, consent }));
    return exitCodes.healthy;
  },
};

/** The name that the owner types to confirm which database is deleted. */
function consentNameOf({ database }: Config): string {
  switch (database.kind) {
    case 'postgresql':
      return database.database;
    case 'sqlite':
      return basename(database.file);
  }
}
