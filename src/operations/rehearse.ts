import { type GateContext, bringToHead, withMigrationFailure } from '../execution/migrate-and-repair.ts';
import { unfinishedRestore } from '../execution/execute-plan.ts';
import type { Assessment } from '../assessment/observation.ts';
import type { DatabaseFacts } from '../model/database-facts.ts';
import type { Work } from '../model/plan.ts';
import type { Transaction } from '../database/database.ts';
import { number, only } from '../database/row-values.ts';
import type { Session } from '../database/session.ts';
import { Failure } from '../errors/failure.ts';
import { quoteName } from '../platform/sql-quoting.ts';
import { quarantineLast } from '../quarantine/batches.ts';
import { openRecord, type Step } from '../report/run-record.ts';
import { versionTable } from '../schema/catalog.ts';
import { type CatalogChanges, findChanges } from '../schema/revision-changes.ts';
import { assess } from '../assessment/assess.ts';
import { startsWithQuarantine } from '../assessment/plan.ts';

/** The result of a rehearsal. */
export interface Rehearsal {
  /** The steps, with the duration of each revision. */
  readonly steps: readonly Step[];
  readonly milliseconds: number;
  readonly changes: CatalogChanges;
  /** Tables whose number of rows would change: before and after. */
  readonly rows: Readonly<Record<string, { readonly before: number; readonly after: number }>>;
}

/**
 * Does the pending work under the lock, verifies the result, and rolls everything back.
 * @returns the assessment before, and the rehearsal; null if there is nothing to do
 * @throws Failure the same failures as the gate, including `refused`
 */
export async function rehearse(
  context: Omit<GateContext, 'recorder'>,
): Promise<{ seen: Assessment; rehearsal: Rehearsal | null }> {
  const { database, config } = context;
  return database.withLock(async () => {
    const seen = await assess(database, config);
    const { plan, observation, obstacle } = seen;
    switch (plan.kind) {
      case 'refuse':
        throw new Failure({ kind: 'refused', database: database.name, refusal: plan.refusal });
      case 'recover':
        throw new Failure(unfinishedRestore(database.name, plan.state.journal.file));
      case 'pass':
        return { seen, rehearsal: null };
      case 'migrate':
      case 'repair': {
        if (obstacle !== null) throw new Failure(obstacle);
        if (observation.kind !== 'seen') throw new Error('a plan to act without an observation');
        const { facts } = observation;
        return { seen, rehearsal: await withMigrationFailure(plan, context, () => rehearseWork(plan, facts, context)) };
      }
    }
  });
}

async function rehearseWork(
  plan: Work,
  facts: DatabaseFacts,
  context: Omit<GateContext, 'recorder'>,
): Promise<Rehearsal> {
  const recorder = openRecord();
  const started = performance.now();
  return context.database.rehearse(async (transaction: Transaction) => {
    const found = await transaction.observe();
    const before = await countRows(transaction, found);
    if (startsWithQuarantine(plan)) await quarantineLast(transaction, context);
    await bringToHead(transaction, plan, facts, { ...context, recorder });
    const reached = await transaction.observe();
    const after = await countRows(transaction, reached);
    return {
      steps: recorder.record.steps,
      milliseconds: performance.now() - started,
      changes: findChanges(found.catalog, reached.catalog),
      rows: differingRows(before, after),
    };
  });
}

async function countRows(session: Session, { catalog }: DatabaseFacts): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (const table of Object.keys(catalog.tables).filter((name) => name !== versionTable)) {
    const rows = await session.query(`SELECT count(*) AS n FROM ${quoteName(table)}`);
    counts.set(table, number(only(rows), 'n'));
  }
  return counts;
}

function differingRows(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): Rehearsal['rows'] {
  const tables = [...new Set([...before.keys(), ...after.keys()])];
  const counts = tables.map(
    (table) => [table, { before: before.get(table) ?? 0, after: after.get(table) ?? 0 }] as const,
  );
  return Object.fromEntries(counts.filter(([, rows]) => rows.before !== rows.after));
}
