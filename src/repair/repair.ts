import type { RepairContext } from './constraint-rules.ts';
import type { Difference } from '../model/difference.ts';
import type { Unsafe } from '../model/repair.ts';
import type { Session } from '../database/session.ts';
import { number, only } from '../database/row-values.ts';
import { findDependentViews } from '../database/postgres/dependent-views.ts';
import { findTableElsewhere } from '../database/postgres/tables-elsewhere.ts';
import { codeOf } from '../errors/error-code.ts';
import { quoteName } from '../platform/sql-quoting.ts';
import { reasonOf } from '../errors/failure.ts';
import { openSchema } from '../migration/schema-builder/schema.ts';
import { withoutBroken } from '../migration/schema-builder/sqlite-broken-triggers.ts';
import { changesInOrder, planRepair } from './repair-plan.ts';
import { type Alteration, type Change, renderChange, type RepairPlan, type Step } from './repair-step.ts';

/** The repair is impossible. The caller must roll back the transaction. */
export class Unrepairable extends Error {
  override readonly name = 'Unrepairable';
  readonly unsafe: readonly Unsafe[];

  constructor(unsafe: readonly Unsafe[], options?: ErrorOptions) {
    super('the schema cannot be repaired safely', options);
    this.unsafe = unsafe;
  }
}

/** Plans the repair of differences, and checks with the data whether each step is safe. Reads only. */
export async function assessRepair(
  session: Session,
  differences: readonly Difference[],
  context: RepairContext,
): Promise<RepairPlan> {
  const plan = planRepair(differences, context);
  const decisions: (Step | Unsafe)[] = [...plan.unsafe];
  for (const step of plan.steps) {
    const broken = await findObstacles(session, step, context);
    if (broken.length === 0) decisions.push(step);
    else decisions.push(...broken);
  }
  return {
    steps: decisions.filter((decision) => decision.kind === 'step'),
    unsafe: decisions.filter((decision) => decision.kind === 'unsafe'),
  };
}

async function findObstacles(
  session: Session,
  { difference, conditions, changes }: Step,
  { engine, facts, head }: RepairContext,
): Promise<readonly Unsafe[]> {
  const broken: Unsafe[] = [];
  if (difference.kind === 'missing-table' && engine === 'postgresql') {
    const { table } = difference;
    const columns = Object.keys(head.tables[table]?.columns ?? {});
    const schemas = await findTableElsewhere(session, table, columns);
    if (schemas.length > 0) {
      const remedy = schemas.flatMap((schema) =>
        bringBack(`${quoteName(schema)}.${quoteName(table)}`, table, facts.schema),
      );
      broken.push({ kind: 'unsafe', difference, obstacle: { kind: 'in-other-schema', schemas }, remedy });
    }
  }
  if (difference.kind === 'narrower-type') {
    const objects = await findDependentViews(session, difference.table, difference.column);
    if (objects.length > 0) {
      const remedy = [
        ...objects.toReversed().map(({ drop }) => drop),
        ...changes.map((change) => renderChange(change, engine)),
        ...objects.flatMap(({ create }) => create),
      ];
      broken.push({ kind: 'unsafe', difference, obstacle: { kind: 'dependents', objects }, remedy });
    }
  }
  for (const { fault, find, remedy } of conditions) {
    const rows = number(only(await session.query(`SELECT count(*) AS n FROM (${find}) AS found`)), 'n');
    if (rows === 0) continue;
    broken.push({
      kind: 'unsafe',
      difference,
      obstacle: { kind: 'rows', fault, rows, find },
      remedy: remedy ?? changes.map((change) => comment(renderChange(change, engine))),
    });
  }
  return broken;
}

/** The statement that moves a table into the schema of the others, and what to do if it is only a copy. */
function bringBack(found: string, table: string, schema: string | null): readonly string[] {
  return [
    `ALTER TABLE ${found} SET SCHEMA ${quoteName(schema ?? 'public')}`,
    `-- or, if it is only a copy of the lost table: ALTER TABLE ${found} RENAME TO ${quoteName(`${table}_copy`)}`,
  ];
}

/** A statement as a comment: the next start runs it, and by hand it could fail because other objects are missing. */
function comment(sql: string): string {
  return `-- once there are none, the next start does this: ${sql.replace(/^-- /, '')}`;
}

/**
 * Repairs all differences, or throws. Call it within a transaction, which must be rolled back if it throws.
 * @returns the repaired differences
 * @throws Unrepairable with all obstacles, or with the change that the database rejected
 */
export async function repairDifferences(
  session: Session,
  differences: readonly Difference[],
  context: RepairContext,
): Promise<readonly Difference[]> {
  const { steps, unsafe } = await assessRepair(session, differences, context);
  if (unsafe.length > 0) throw new Unrepairable(unsafe);
  const make = changeFunctionOf(session);
  await withoutBroken(session, async () => {
    for (const { step, change } of changesInOrder(steps)) {
      try {
        await make(change);
      } catch (error) {
        if (!isRejection(error)) throw error;
        const remedy = step.changes.map((each) => renderChange(each, context.engine));
        const obstacle = { kind: 'rejected', reason: reasonOf(error) } as const;
        throw new Unrepairable([{ kind: 'unsafe', difference: step.difference, obstacle, remedy }], { cause: error });
      }
    }
  });
  return steps.map(({ difference }) => difference);
}

/** Returns the function that makes a change: PostgreSQL runs SQL, the schema builder rebuilds tables on SQLite. */
function changeFunctionOf(session: Session): (change: Change) => Promise<void> {
  if (session.engine === 'postgresql') return (change) => session.run(renderChange(change, 'postgresql'));
  return async (change) => {
    if (change.kind === 'statement') return session.run(change.sql);
    await alter(session, change.table, change.change);
  };
}

async function alter(session: Session, table: string, change: Alteration): Promise<void> {
  const schema = await openSchema(session);
  switch (change.kind) {
    case 'addColumn':
      await schema.addColumn(table, change.column, change.definition);
      return;
    case 'setNotNull':
      return schema.setNotNull(table, change.column);
    case 'dropNotNull':
      return schema.dropNotNull(table, change.column);
    case 'addConstraint':
      await schema.addConstraint(table, change.name, change.definition);
  }
}

/**
 * Whether an error says that the schema or the data do not allow a change, and not that a lock was unavailable, the
 * run was cancelled or the connection was lost (https://www.postgresql.org/docs/current/errcodes-appendix.html).
 */
function isRejection(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = codeOf(cause);
    if (code === null) continue;
    return /^(?:0A|22|23|2B|42|54|55000|55P04|SQLITE_ERROR|SQLITE_CONSTRAINT)/.test(code);
  }
  return false;
}
