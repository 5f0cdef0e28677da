import { exitCodes } from '../exit-codes.ts';
import { runGate } from '../gate/gate.ts';
import type { Command } from './context.ts';
import { withDatabase } from './open.ts';

export const gateCommand: Command = {
  name: 'gate',
  summary: 'bring the database to the current schema, or stop with the way out (the default)',
  usage: '',
  flags: [],
  reports: true,
  async run(context) {
    for (const hint of context.config.hints) context.log.warn(hint);
    await withDatabase(context, 'gate', 'write', (database) => runGate({ ...context, database }));
    return exitCodes.healthy;
  },
};
