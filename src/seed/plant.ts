import type { Config } from '../config/config.ts';
import type { Transaction } from '../database/database.ts';
import { text } from '../database/rows.ts';
import type { Log } from '../report/log.ts';
import { dayOf, knownZone, timestampText, wallClock } from './calendar.ts';
import { withModels } from './models/models-on.ts';
import type { Scene } from './generators/seed-context.ts';
import type { Models } from './models/models.ts';
import type { SeedOptions } from './options.ts';
import { diceOf } from './random.ts';
import { type Counts, noCounts } from './tables.ts';
import { read } from './write.ts';
import { plantFinance } from './writers/finance.ts';
import { plantInventory } from './writers/inventory.ts';
import { plantComments, plantExpenses } from './writers/notes.ts';
import { plantPeople } from './writers/people.ts';
import { plantTime } from './writers/time.ts';
import { plantWork } from './writers/work.ts';

/** What planting works with. */
export interface PlantContext {
  readonly config: Pick<Config, 'administrator'>;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Adds the development data within the caller's transaction, whatever else the database is like. */
export function plant(
  { connection }: Transaction,
  { config, log, signal }: PlantContext,
  options: SeedOptions,
  now: Date,
): Promise<Counts> {
  return withModels(connection, async (models) => {
    const site = { models, log, signal, counts: noCounts() };
    const scene = await sceneOf(models, options, now);
    const people = await plantPeople(site, options.users, config.administrator, scene);
    const { projects, tasks } = await plantWork(site, options, people, scene);
    await plantTime(site, options, people, tasks, scene);
    await plantExpenses(site, options, people, projects, scene);
    await plantComments(site, options.comments, people, tasks, scene);
    await plantInventory(site, options, people, scene);
    await plantFinance(site, options, people, projects, scene);
    return site.counts;
  });
}

/** What the settings say about money and time; before the application's first start there are none. */
async function sceneOf(models: Models, { seed }: SeedOptions, now: Date): Promise<Scene> {
  const [settings] = await read(models.settings, ['currency', 'timezone'], { order: ['id'], limit: 1 });
  const currency = settings === undefined ? '' : text(settings, 'currency');
  const local = wallClock(now, knownZone(settings === undefined ? null : text(settings, 'timezone')));
  return {
    dice: diceOf(seed),
    today: dayOf(local),
    utc: timestampText(now.getTime()),
    local: timestampText(local),
    currency: /^[A-Z]{3}$/.test(currency) ? currency : 'EUR',
  };
}
