import type { Config } from '../config/config.ts';
import type { Transaction } from '../database/database.ts';
import { text } from '../database/row-values.ts';
import type { Log } from '../report/log.ts';
import { dayOf, knownZone, timestampText, wallClock } from './calendar.ts';
import { withModels } from './models/models-on.ts';
import type { SeedContext } from './generators/seed-context.ts';
import type { Models } from './models/models.ts';
import type { SeedOptions } from './options.ts';
import { randomFor } from './random.ts';
import { type Counts, noCounts } from './tables.ts';
import { read } from './write.ts';
import { writeFinance } from './writers/finance.ts';
import { writeInventory } from './writers/inventory.ts';
import { writeComments, writeExpenses } from './writers/notes.ts';
import { withPasswords, writePeople } from './writers/people.ts';
import { writeTime } from './writers/time.ts';
import { writeWork } from './writers/work.ts';

export interface SeedWriterContext {
  readonly config: Pick<Config, 'administrator'>;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Adds the development data within the caller's transaction. Other rows in the database do not matter. */
export function writeSeed(
  { connection }: Transaction,
  { config, log, signal }: SeedWriterContext,
  options: SeedOptions,
  now: Date,
): Promise<Counts> {
  return withModels(connection, async (models) => {
    const target = { models, log, signal, counts: noCounts() };
    const context = await readContext(models, options, now);
    const people = await writePeople(target, options.users, config.administrator, context);
    await withPasswords(target, people.added, async () => {
      const { projects, tasks } = await writeWork(target, options, people.ids, context);
      await writeTime(target, options, people.ids, tasks, context);
      await writeExpenses(target, options, people.ids, projects, context);
      await writeComments(target, options.comments, people.ids, tasks, context);
      await writeInventory(target, options, people.ids, context);
      await writeFinance(target, options, people.ids, projects, context);
    });
    return target.counts;
  });
}

/** Reads currency and time zone from the settings, which are missing before the application's first start. */
async function readContext(models: Models, { seed }: SeedOptions, now: Date): Promise<SeedContext> {
  const [settings] = await read(models.settings, ['currency', 'timezone'], { order: ['id'], limit: 1 });
  const currency = settings === undefined ? '' : text(settings, 'currency');
  const local = wallClock(now, knownZone(settings === undefined ? null : text(settings, 'timezone')));
  return {
    random: randomFor(seed),
    today: dayOf(local),
    utc: timestampText(now.getTime()),
    local: timestampText(local),
    currency: /^[A-Z]{3}$/.test(currency) ? currency : 'EUR',
  };
}
