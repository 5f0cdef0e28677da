import { setImmediate } from 'node:timers/promises';
import { Umzug } from 'umzug';
import type { Session } from '../database/session.ts';
import { Failure, reasonOf } from '../failure.ts';
import type { Graph, Revision } from './graph.ts';
import { type Ledger, openLedger } from './ledger.ts';
import { type OpenSchema, openSchema } from './schema.ts';

/** A revision that was applied, and the milliseconds that it took. */
export interface AppliedRevision {
  readonly id: string;
  readonly milliseconds: number;
}

export interface MigrateOptions {
  /** Whether alembic_version is there already. */
  readonly versioned: boolean;
  /** Asked before each revision; aborting it makes the run fail with the signal's reason. */
  readonly signal: AbortSignal;
  readonly onApplied: (applied: AppliedRevision, position: number, total: number) => void;
}

/**
 * Applies everything pending with umzug, within the transaction of `session`. Umzug runs what it is given in the
 * order it is given and calls what is executed what the ledger says: order, gaps and branches are the graph's.
 * @throws Failure `migration-failed`: which revision, what had been applied, what was not run
 */
export async function migrate(session: Session, graph: Graph, options: MigrateOptions): Promise<readonly AppliedRevision[]> {
  const ledger = await openLedger(session, graph, options.versioned);
  const schema = await openSchema(session);
  const pending = graph.pending(ledger.rows);
  const applied: AppliedRevision[] = [];
  const umzug = new Umzug({
    migrations: graph.revisions.map((revision) => ({
      name: revision.id,
      up: async () => {
        options.signal.throwIfAborted();
        const milliseconds = await apply(revision, schema);
        applied.push({ id: revision.id, milliseconds });
      },
    })),
    context: schema,
    storage: storageOver(ledger, graph, () => {
      const last = applied.at(-1);
      if (last !== undefined) options.onApplied(last, applied.length, pending.length);
    }),
    logger: undefined,
  });
  try {
    await umzug.up();
  } catch (error) {
    options.signal.throwIfAborted();
    const failed = pending[applied.length];
    throw new Failure(
      {
        kind: 'migration-failed',
        failed: {
          revision: failed?.id ?? null,
          applied: applied.map(({ id }) => id),
          remaining: pending.slice(applied.length + 1).map(({ id }) => id),
          reason: rootReasonOf(error),
        },
      },
      { cause: error },
    );
  }
  return applied;
}

async function apply(revision: Revision, schema: OpenSchema): Promise<number> {
  // SQLite works without ever giving way: let signals be heard between two revisions
  await setImmediate();
  const started = performance.now();
  const { up } = await revision.load();
  await up({ context: schema });
  await schema.flush();
  return performance.now() - started;
}

/** The ledger as umzug's storage. Reading it writes nothing. */
function storageOver(ledger: Ledger, graph: Graph, onRecorded: () => void) {
  return {
    executed: async (): Promise<string[]> => [...graph.withAncestors(ledger.rows)],
    async logMigration({ name }: { name: string }): Promise<void> {
      await ledger.record(name);
      onRecorded();
    },
    async unlogMigration({ name }: { name: string }): Promise<void> {
      throw new Error(`there is no way down from ${name}: restore a backup`);
    },
  };
}

/** Umzug wraps what a migration throws; people want to read what the database said. */
function rootReasonOf(error: unknown): string {
  const cause = error instanceof Error && error.constructor.name === 'MigrationError' ? error.cause : error;
  return reasonOf(cause);
}
