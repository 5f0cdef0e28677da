import type { Config } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import { Failure } from '../errors/failure.ts';
import { number, only } from '../database/row-values.ts';
import { quoteName } from '../platform/sql-quoting.ts';
import { describeExisting } from '../report/development-messages.ts';
import { verifyExitCode } from '../assessment/state-report.ts';
import { assess } from '../assessment/assess.ts';
import { releaseGraph } from '../migration/revisions.ts';
import type { Log } from '../report/log.ts';
import type { Recorder } from '../report/run-record.ts';
import type { SeedOptions } from './options.ts';
import type { Counts } from './tables.ts';

/** The dependencies of the seed. */
export interface SeedCommandContext {
  readonly database: Database;
  readonly config: Config;
  readonly log: Log;
  readonly recorder: Recorder;
  readonly signal: AbortSignal;
}

/**
 * Adds the missing development data, in one transaction under the run lock. Existing rows are not changed, except
 * stock levels to which new movements add.
 * @param now the present time, from which dates and times are calculated
 * @returns the number of added rows of each table
 * @throws Failure `seed-refused` if the schema is not current, `usage` if the days have no space for the time entries
 */
export async function seedDatabase(context: SeedCommandContext, options: SeedOptions, now: Date): Promise<Counts> {
  const { database, recorder } = context;
  return database.withLock(async () => {
    // load Sequelize, which takes a moment, while the server answers
    const [{ writeSeed }] = await Promise.all([import('./write-seed.ts'), requireCurrent(context)]);
    await announceExisting(context);
    const counts = await database.transaction((transaction) => {
      recorder.attempt();
      return writeSeed(transaction, context, options, now);
    });
    recorder.ended({ state: 'current', revisions: releaseGraph.heads });
    return counts;
  });
}

/** The tables in which people work. The other tables also hold rows that come with the schema or the application. */
const workTables = ['clients', 'projects', 'tasks', 'time_entries', 'expenses', 'invoices'] as const;

/** Says before anything is written that the database is not empty, and what happens to its rows. */
async function announceExisting({ database, log }: SeedCommandContext): Promise<void> {
  const counts = await database.read(async (session) => {
    const found: { readonly table: string; readonly rows: number }[] = [];
    for (const table of workTables) {
      const row = only(await session.query(`SELECT count(*) AS rows FROM ${quoteName(table)}`));
      found.push({ table, rows: number(row, 'rows') });
    }
    return found;
  });
  const held = counts.filter(({ rows }) => rows > 0);
  if (held.length > 0) log.info(describeExisting(database.name, held), { existing: held });
}

/** Requires the schema of the head, because the rows fit no other schema. @throws Failure `seed-refused` */
async function requireCurrent({ database, config, recorder }: SeedCommandContext): Promise<void> {
  const seen = await assess(database, config);
  recorder.assessed(seen);
  const { kind } = seen.state;
  if (kind === 'current') return;
  throw new Failure({ kind: 'seed-refused', database: database.name, state: kind, exitCode: verifyExitCode(seen) });
}
