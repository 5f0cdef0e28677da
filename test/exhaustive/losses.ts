import type { DatabaseFacts } from '../../src/model/database-facts.ts';
import type { Catalog } from '../../src/model/catalog.ts';
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import type { Session } from '../../src/database/session.ts';
import { diagnose } from '../../src/assessment/diagnosis.ts';
import { releaseGraph } from '../../src/migration/revisions.ts';
import { repairDifferences, Unrepairable } from '../../src/repair/repair.ts';
import { versionTable } from '../../src/schema/catalog.ts';
import { findDifferences } from '../../src/schema/comparison.ts';
import { loadHead } from '../../src/schema/expected-schema.ts';

/** A database at the head, in a transaction that is never committed. */
export interface Subject {
  readonly session: Session;
  readonly observe: () => Promise<DatabaseFacts>;
  /** Drops one object of a table. */
  readonly lose: (loss: Loss) => Promise<void>;
}

export type Loss =
  | { readonly kind: 'table'; readonly table: string }
  | { readonly kind: 'column' | 'constraint' | 'index' | 'sequence'; readonly table: string; readonly name: string };

/** Every object of one table, and the table itself. */
export function lossesOf(table: string, { tables }: Catalog): readonly Loss[] {
  const expected = tables[table];
  if (expected === undefined) throw new Error(`no table ${table}`);
  const each = (kind: Exclude<Loss['kind'], 'table'>, of: object): Loss[] =>
    Object.keys(of).map((name) => ({ kind, table, name }));
  const numbered = Object.entries(expected.columns).filter(([, column]) => column.default?.startsWith('nextval('));
  return [
    { kind: 'table', table },
    ...each('column', expected.columns),
    ...each('constraint', expected.constraints),
    ...each('index', expected.indexes),
    ...each('sequence', Object.fromEntries(numbered)),
  ];
}

/** The expected tables. */
export async function promisedTables(engine: Session['engine']): Promise<readonly string[]> {
  return Object.keys((await loadHead(engine)).tables).filter((table) => table !== versionTable);
}

/** The result for each dropped object of a table. */
export interface Tally {
  mended: number;
  refused: number;
}

/**
 * Takes away one thing of a table after the other, each time from the whole schema: the loss must be found, and either
 * the schema is brought back as it was, or the repair is refused for rows that are in the way, and nothing is done.
 */
export async function loseAndMend(table: string, { session, observe, lose }: Subject): Promise<Tally> {
  const head = await loadHead(session.engine);
  const whole = (await observe()).catalog;
  const outcomes = { mended: 0, refused: 0 };
  for (const loss of lossesOf(table, head)) {
    await session.run('SAVEPOINT loss');
    try {
      await lose(loss);
      outcomes[await findAndMend(loss)] += 1;
    } finally {
      await session.run('ROLLBACK TO loss; RELEASE loss');
    }
  }
  return outcomes;

  async function findAndMend(loss: Loss): Promise<keyof Tally> {
    const label = JSON.stringify(loss);
    const { engine } = session;
    const facts = await observe();
    const observation = { kind: 'seen', engine, facts, traces: [], occupied: false, restoreJournal: null } as const;
    const knowledge = {
      graph: releaseGraph,
      expected: { head, seed: {} },
      fingerprints: null,
      applicationObjects: null,
    };
    const state = diagnose(observation, knowledge);
    expect(['drifted', 'partial'], label).toContain(state.kind);

    const differences = state.kind === 'drifted' ? state.differences : findDifferences(head, facts.catalog, engine);
    try {
      await repairDifferences(session, differences, { facts, head, seed: {}, engine });
    } catch (error) {
      if (!(error instanceof Unrepairable)) throw error;
      const others = error.unsafe.filter(({ obstacle }) => obstacle.kind !== 'rows');
      expect(others, label).toEqual([]);
      return 'refused';
    }
    const { catalog } = await observe();
    // vitest's own comparison is slow, and is only needed to show the difference
    if (!isDeepStrictEqual(catalog, whole)) expect(catalog, label).toEqual(whole);
    return 'mended';
  }
}
