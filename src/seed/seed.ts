import type { Config } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import { text } from '../database/rows.ts';
import type { Session } from '../database/session.ts';
import { Failure } from '../errors/failure.ts';
import { verifyExitCode } from '../assessment/state-report.ts';
import { look } from '../assessment/assess.ts';
import { releaseGraph } from '../migration/revisions.ts';
import type { Log } from '../report/log.ts';
import type { Recorder } from '../report/run-record.ts';
import { dayOf, knownZone, timestampText, wallClock } from './calendar.ts';
import type { SeedOptions } from './options.ts';
import { plantFinance } from './writers/finance.ts';
import { plantInventory } from './writers/inventory.ts';
import { plantComments, plantExpenses } from './writers/notes.ts';
import { plantPeople } from './writers/people.ts';
import { plantTime } from './writers/time.ts';
import { plantWork } from './writers/work.ts';
import { diceOf } from './random.ts';
import type { Scene } from './generators/seed-context.ts';
import { type Counts, noCounts } from './tables.ts';

/** What the seed works with. */
export interface SeedContext {
  readonly database: Database;
  readonly config: Config;
  readonly log: Log;
  readonly recorder: Recorder;
  readonly signal: AbortSignal;
}

/**
 * Adds the development data that is not there yet, in one transaction under the run lock. Nothing that exists is
 * changed, but for stock levels that new movements add to.
 * @param now the moment that dates and times are counted from
 * @returns how many rows were added to each table
 * @throws Failure `seed-refused` if the schema is not current, `usage` if the time entries have no room
 */
export async function seedDatabase(context: SeedContext, options: SeedOptions, now: Date): Promise<Counts> {
  const { database, recorder } = context;
  return database.withLock(async () => {
    await requireCurrent(context);
    const counts = await database.transaction((session) => {
      recorder.attempt();
      return plant(session, context, options, now);
    });
    recorder.left({ state: 'current', revisions: releaseGraph.heads });
    return counts;
  });
}

/** The rows fit the schema that this image knows, and no other. @throws Failure `seed-refused` */
async function requireCurrent({ database, config, recorder }: SeedContext): Promise<void> {
  const seen = await look(database, config);
  recorder.looked(seen);
  const { kind } = seen.state;
  if (kind === 'current') return;
  throw new Failure({ kind: 'seed-refused', database: database.name, state: kind, exitCode: verifyExitCode(seen) });
}

/** Adds the development data within the caller's transaction, whatever else the database is like. */
export async function plant(
  session: Session,
  { config, log, signal }: Pick<SeedContext, 'config' | 'log' | 'signal'>,
  options: SeedOptions,
  now: Date,
): Promise<Counts> {
  const site = { session, log, signal, counts: noCounts() };
  const scene = await sceneOf(session, options, now);
  const people = await plantPeople(site, options.users, config.administrator, scene);
  const { projects, tasks } = await plantWork(site, options, people, scene);
  await plantTime(site, options, people, tasks, scene);
  await plantExpenses(site, options, people, projects, scene);
  await plantComments(site, options.comments, people, tasks, scene);
  await plantInventory(site, options, people, scene);
  await plantFinance(site, options, people, projects, scene);
  return site.counts;
}

/** What the settings say about money and time; before the application's first start there are none. */
async function sceneOf(session: Session, { seed }: SeedOptions, now: Date): Promise<Scene> {
  const [settings] = await session.query('SELECT currency, timezone FROM settings ORDER BY id LIMIT 1');
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
