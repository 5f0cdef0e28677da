import type { Engine } from '../model/engine.ts';
import { setImmediate } from 'node:timers/promises';
import { MigrationError, Umzug } from 'umzug';
import { currentSchema } from '../database/current-schema.ts';
import { text } from '../database/row-values.ts';
import type { Session } from '../database/session.ts';
import { type FailedMigration, reasonOf } from '../errors/failure.ts';
import { loadHead, loadSeed } from '../schema/expected-schema.ts';
import { renderBaseline } from './baseline.ts';
import type { Graph, Revision } from './graph.ts';
import { type Ledger, openLedger, widthAtHead } from './ledger.ts';
import type { Migration } from './migration.ts';
import { type OpenSchema, openSchema } from './schema-builder/schema.ts';
import { withoutBroken } from './schema-builder/sqlite-broken-triggers.ts';

/** An applied revision, and its duration in milliseconds. */
export interface AppliedRevision {
  readonly id: string;
  readonly milliseconds: number;
}

/** The options of a migration, and the callback for its progress. */
export interface MigrateOptions {
  /** Whether the table alembic_version exists already. */
  readonly versioned: boolean;
  /** Checked before each revision; if aborted, the run fails with the reason of the signal. */
  readonly signal: AbortSignal;
  /** Whether a constraint that rows violate is left out; SQLite only. */
  readonly lenient?: boolean;
  readonly onApplied: (applied: AppliedRevision, position: number, total: number) => void;
}

/** A revision failed. `failed` has the revision, those applied before it, and those that were not run. */
export class RevisionFailed extends Error {
  override readonly name = 'RevisionFailed';
  readonly failed: FailedMigration;

  constructor(failed: FailedMigration, cause: unknown) {
    super(failed.reason, { cause });
    this.failed = failed;
  }
}

/** A revision as umzug runs it; the context is the schema builder. */
interface Step<Context> {
  readonly name: string;
  readonly up: (step: { readonly context: Context }) => Promise<void>;
}

/**
 * Applies all pending revisions, one by one, within the transaction of `session`.
 * @throws RevisionFailed
 */
export async function migrate(
  session: Session,
  graph: Graph,
  options: MigrateOptions,
): Promise<readonly AppliedRevision[]> {
  const schema = await openSchema(session, { lenient: options.lenient ?? false });
  const ledger = await openLedger(session, graph, options.versioned);
  const modules = loadModules(graph.pending(ledger.rows));
  const steps = graph.revisions.map(({ id }) => ({
    name: id,
    up: ({ context }: { readonly context: OpenSchema }) => apply(modules.get(id), context),
  }));
  return withoutBroken(session, async () => {
    await completeFirst(schema, graph, ledger.rows);
    return runSteps(steps, schema, ledger, graph, options);
  });
}

/** Revisions that releases up to 1.4 recorded without running them, after creating the tables in another way. */
const stampedOnly: ReadonlySet<string> = new Set(['001', '002', '003', '004']);

/**
 * Runs the first revisions again in a database that is at one of them, because objects may be missing and later
 * revisions need their tables. These revisions only add objects.
 */
async function completeFirst(schema: OpenSchema, graph: Graph, rows: readonly string[]): Promise<void> {
  if (!rows.some((row) => stampedOnly.has(row))) return;
  const executed = graph.withAncestors(rows);
  const modules = loadModules(graph.revisions.filter(({ id }) => executed.has(id)));
  for (const module of modules.values()) await apply(module, schema);
  // those releases kept the name of the client in this column; the application does not fill it any more
  if (schema.hasColumn('projects', 'client_id')) await schema.dropNotNull('projects', 'client');
}

/**
 * Creates the schema of the head in an empty database at once. The result equals that of `migrate`.
 * @throws RevisionFailed
 */
export async function createHead(
  session: Session,
  graph: Graph,
  options: MigrateOptions,
): Promise<readonly AppliedRevision[]> {
  const ledger = await openLedger(session, graph, options.versioned, widthAtHead(session.engine));
  const baseline = async ({ context }: { readonly context: Session }): Promise<void> => {
    const { tables, enums } = await loadHead(context.engine);
    const there = await enumsThere(context);
    const made = Object.fromEntries(Object.entries(enums).filter(([name]) => !there.includes(name)));
    const statements = renderBaseline({ tables, enums: made }, await loadSeed(), context.engine);
    await context.run(statements.join(';\n'));
  };
  // the first head creates everything; other heads (there are none at present) are only recorded
  const steps = graph.heads.map((name, index) => ({ name, up: index === 0 ? baseline : async () => undefined }));
  return runSteps(steps, session, ledger, graph, options);
}

/** The enum types that a former installation left. The diagnosis has checked that they have the right labels. */
async function enumsThere(session: Session): Promise<readonly string[]> {
  if (session.engine === 'sqlite') return [];
  const rows = await session.query(
    `SELECT typname::text AS name FROM pg_type WHERE typtype = 'e' AND typnamespace = ${currentSchema}`,
  );
  return rows.map((row) => text(row, 'name'));
}

/**
 * Lets umzug run the steps that are not executed yet. Umzug runs steps in the given order and reads the executed ones
 * from the ledger; the graph decides about order, gaps and branches.
 */
async function runSteps<Context extends { readonly engine: Engine }>(
  steps: readonly Step<Context>[],
  context: Context,
  ledger: Ledger,
  graph: Graph,
  { signal, onApplied }: MigrateOptions,
): Promise<readonly AppliedRevision[]> {
  const umzug = new Umzug({ migrations: [...steps], context, storage: storageOver(ledger, graph), logger: undefined });
  const pending = (await umzug.pending()).map(({ name }) => name);
  const applied: AppliedRevision[] = [];
  let started = 0;
  umzug.on('migrating', async () => {
    // the SQLite driver blocks the event loop: let signal handlers run between two revisions
    await setImmediate();
    signal.throwIfAborted();
    started = performance.now();
  });
  umzug.on('migrated', ({ name }) => {
    const revision = { id: name, milliseconds: performance.now() - started };
    applied.push(revision);
    onApplied(revision, applied.length, pending.length);
  });
  try {
    await umzug.up();
    await ledger.save();
  } catch (error) {
    signal.throwIfAborted();
    throw failureOf(error, context.engine, pending, applied);
  }
  return applied;
}

type Module = Promise<{ readonly up: Migration }>;

/** Starts loading all modules at once, so that they load while the server works on the first ones. */
function loadModules(revisions: readonly Revision[]): ReadonlyMap<string, Module> {
  return new Map(
    revisions.map(({ id, load }) => {
      const module = load();
      // a module that cannot be loaded is reported when its revision runs, not as an unhandled rejection
      module.catch(() => undefined);
      return [id, module];
    }),
  );
}

async function apply(module: Module | undefined, schema: OpenSchema): Promise<void> {
  if (module === undefined) throw new Error('the revision was not pending');
  const { up } = await module;
  await up({ context: schema });
  await schema.flush();
}

/** The ledger as umzug's storage. Reading it writes nothing. */
function storageOver(ledger: Ledger, graph: Graph) {
  return {
    executed: async (): Promise<string[]> => [...graph.withAncestors(ledger.rows)],
    logMigration: async ({ name }: { name: string }): Promise<void> => ledger.record(name),
    async unlogMigration({ name }: { name: string }): Promise<void> {
      throw new Error(`there is no way down from ${name}: restore a backup`);
    },
  };
}

function failureOf(
  error: unknown,
  engine: Engine,
  pending: readonly string[],
  applied: readonly AppliedRevision[],
): RevisionFailed {
  // umzug wraps the error of a migration; the message should be that of the database
  const cause = error instanceof MigrationError ? error.cause : error;
  const failed = {
    engine,
    revision: pending[applied.length] ?? null,
    applied: applied.map(({ id }) => id),
    remaining: pending.slice(applied.length + 1),
    reason: reasonOf(cause),
  };
  return new RevisionFailed(failed, cause);
}
