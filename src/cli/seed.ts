import { numberOptions, numberTexts, readSeedOptions, switches } from '../seed/options.ts';
import { exitCodes } from '../errors/exit-codes.ts';
import { Failure } from '../errors/failure.ts';
import { renderCounts } from '../report/development-messages.ts';
import type { Command } from './context.ts';
import { withDatabase } from './with-database.ts';
import { summaries, usageTexts } from '../report/command-line.ts';

export const seedCommand: Command = {
  name: 'seed',
  summary: summaries.seed,
  usage: [...numberOptions.map((option) => `[--${option} N]`), ...switches.map((flag) => `[--${flag}]`)].join(' '),
  flags: switches,
  options: numberOptions,
  explains: numberTexts,
  reports: true,
  async run(context) {
    const { flags, options: given } = context.arguments;
    const { flaskEnvironment } = context.config;
    if (flaskEnvironment !== 'development') {
      const message = usageTexts.developmentOnly(flaskEnvironment);
      const command = { words: ['seed'], variable: { name: 'FLASK_ENV', value: 'development' } };
      throw new Failure({ kind: 'usage', message, command });
    }
    const options = readSeedOptions(given, flags);
    // loaded here: the gate must start fast
    const { seedDatabase } = await import('../seed/seed.ts');
    const counts = await withDatabase(context, 'seed', 'write', (database) =>
      seedDatabase({ ...context, database }, options, new Date()),
    );
    context.output.result(renderCounts(counts), counts);
    return exitCodes.healthy;
  },
};
