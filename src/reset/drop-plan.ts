import type { BlockingObject } from '../errors/obstacles.ts';
import type { DatabaseFacts, Relation } from '../model/database-facts.ts';
import type { Engine } from '../model/engine.ts';
import { asDependentObjectsError } from '../database/postgres/dependents.ts';
import { quoteName } from '../platform/sql-quoting.ts';
import type { Session } from '../database/session.ts';
import { targetOf } from '../migration/schema-builder/catalog-sql.ts';
import type { ApplicationObjects } from '../schema/application-objects.ts';

/** The objects that a reset drops, and those that it keeps. */
export interface DropPlan {
  readonly tables: readonly string[];
  /** The statements that drop everything, in this order. */
  readonly statements: readonly string[];
  /** Names of relations that stay because they are not the application's. */
  readonly kept: readonly string[];
  /** Kept objects that prevent the reset; on PostgreSQL, dependent objects are found by the drop. */
  readonly obstacles: readonly BlockingObject[];
}

/** Decides by name and kind which objects to drop. Pure. */
export function planDrop(
  { relations, catalog }: DatabaseFacts,
  engine: Engine,
  { isTable, isEnum, isSequence, isNeededAtHead: isNeeded }: ApplicationObjects,
): DropPlan {
  const goes = ({ kind, name }: Relation): boolean =>
    kind === 'table' || kind === 'partitioned table' ? isTable(name) : kind === 'sequence' && isSequence(name);
  const going = relations.filter(goes);
  const kept = relations.filter((relation) => !goes(relation));
  const sequences = going.filter(({ kind }) => kind === 'sequence').map(({ name }) => name);
  const tables = going.map(({ name }) => name).filter((name) => !sequences.includes(name));
  const enums = Object.keys(catalog.enums).filter(isEnum);
  return {
    tables,
    statements:
      engine === 'sqlite'
        ? tables.map((name) => `DROP TABLE ${quoteName(name)}`)
        : [...drop('TABLE', tables), ...drop('SEQUENCE', sequences), ...drop('TYPE', enums)],
    kept: kept.map(({ name }) => name),
    obstacles: [
      ...kept
        .filter(({ name }) => isNeeded(name))
        .map(({ kind: object, name }) => ({ kind: 'name-taken', object, name }) as const),
      // PostgreSQL reports dependencies itself when it drops
      ...(engine === 'sqlite' ? referencesTo(tables, kept, catalog) : []),
    ],
  };
}

/** One statement for all tables: they may refer to each other, but no other object may depend on them (RESTRICT). */
function drop(kind: string, names: readonly string[]): string[] {
  return names.length === 0 ? [] : [`DROP ${kind} ${names.map(quoteName).join(', ')}`];
}

function referencesTo(
  tables: readonly string[],
  kept: readonly Relation[],
  catalog: DatabaseFacts['catalog'],
): readonly BlockingObject[] {
  const going = new Set(tables.map((name) => name.toLowerCase()));
  return kept.flatMap(({ name }) =>
    Object.values(catalog.tables[name]?.constraints ?? {})
      .filter((rule) => going.has(targetOf(rule)?.toLowerCase() ?? ''))
      .map((rule) => ({ kind: 'dependent', description: `table ${name}: ${rule}` })),
  );
}

/** Executes the plan. Call it within a transaction. @throws DependentObjectsError */
export async function executeDrop(session: Session, { statements }: DropPlan): Promise<void> {
  try {
    await session.run(statements.join(';\n'));
  } catch (error) {
    throw asDependentObjectsError(error) ?? error;
  }
}
