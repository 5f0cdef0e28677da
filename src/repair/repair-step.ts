import type { Condition, Obstacle, Unsafe } from '../model/repair.ts';
import type { RepairContext } from './constraint-rules.ts';
import type { Engine } from '../model/engine.ts';
import type { Difference } from '../model/difference.ts';
import { quoteName } from '../platform/sql-quoting.ts';
import type { TableChange } from '../migration/schema-builder/table-text.ts';
import type { NameAllocator } from './name-allocator.ts';

export type Alteration = Extract<TableChange, { kind: 'addColumn' | 'setNotNull' | 'dropNotNull' | 'addConstraint' }>;

/** The order of the changes: types before the tables that use them, keys before their references. */
export const phases = ['type', 'table', 'column', 'key', 'index', 'reference'] as const;

export type Phase = (typeof phases)[number];

/** One change: a statement, or a change for which SQLite may have to rebuild the table. */
export type Change =
  | { readonly kind: 'statement'; readonly phase: Phase; readonly sql: string }
  | { readonly kind: 'alteration'; readonly phase: Phase; readonly table: string; readonly change: Alteration };

/** How one difference is repaired, provided that no row breaks a condition. */
export interface Step {
  readonly kind: 'step';
  readonly difference: Difference;
  readonly changes: readonly Change[];
  readonly conditions: readonly Condition[];
}

/** The steps of a repair, and the differences that cannot be repaired safely. */
export interface RepairPlan {
  readonly steps: readonly Step[];
  readonly unsafe: readonly Unsafe[];
}

/** The input of a decision: the schemas, the allocated names, and what must be corrected first. */
export interface DecisionContext extends RepairContext {
  readonly names: NameAllocator;
  /**
   * Columns, as `table.column`, whose type differs from the expected one, and tables and columns that have another name:
   * conditions over them cannot be queried.
   */
  readonly faulty: ReadonlySet<string>;
}

/** A change as SQL, as it runs on PostgreSQL. On SQLite, a change without a statement is a comment. */
export function renderChange(change: Change, engine: Engine): string {
  if (change.kind === 'statement') return change.sql;
  const sql = `ALTER TABLE ${quoteName(change.table)} ${alterationText(change.change)}`;
  return engine === 'postgresql' || change.change.kind === 'addColumn' ? sql : `-- by rebuilding the table: ${sql}`;
}

function alterationText(change: Alteration): string {
  switch (change.kind) {
    case 'addColumn':
      return `ADD COLUMN ${quoteName(change.column)} ${change.definition}`;
    case 'setNotNull':
      return `ALTER COLUMN ${quoteName(change.column)} SET NOT NULL`;
    case 'dropNotNull':
      return `ALTER COLUMN ${quoteName(change.column)} DROP NOT NULL`;
    case 'addConstraint':
      return `ADD CONSTRAINT ${quoteName(change.name)} ${change.definition}`;
  }
}

export const step = (
  difference: Difference,
  changes: readonly Change[],
  conditions: readonly Condition[] = [],
): Step => ({
  kind: 'step',
  difference,
  changes,
  conditions,
});

/** Creates the decision not to repair a difference. @param remedy statements for the operator */
export const unsafe = (difference: Difference, obstacle: Obstacle, remedy: readonly string[] = []): Unsafe => ({
  kind: 'unsafe',
  difference,
  obstacle,
  remedy,
});

export const statement = (phase: Phase, sql: string): Change => ({ kind: 'statement', phase, sql });

export const alter = (phase: Phase, table: string, change: Alteration): Change => ({
  kind: 'alteration',
  phase,
  table,
  change,
});
