import type { Engine } from '../../../src/model/engine.ts';
import { createGraph, type Graph, type Revision } from '../../../src/migration/graph.ts';
import { reasonOf } from '../../../src/errors/failure.ts';
import type { ReleaseRange } from '../../../src/releases.ts';
import { changesOf, type FactRow, type RevisionFacts, type RowFacts } from '../facts.ts';
import { inOrder, renderGraph, type WrittenMigration } from '../graph-file.ts';
import { addRelease, isOlder, readReleases } from '../releases-file.ts';
import type { Application, ApplicationRevision, Upgrade } from './application.ts';
import { countDifferences, rowDifferences, schemaDifferences, schemaDifferencesAcross } from './compare.ts';
import { migrateTo, observe, type Observation } from './databases.ts';
import { fill, fillTables } from './fill.ts';
import { toPostgresCatalog } from './from-sqlite.ts';
import { describeMigration, isUnfinished, type MigrationText, renderMigration } from './migration-file.ts';
import type { Project } from './project.ts';
import { findRenames } from './renames.ts';
import { deriveSteps, type DerivedSteps } from './steps.ts';
import type { Workspace } from './workspace.ts';

/** The dependencies of an import. */
export interface ImportContext {
  readonly release: string;
  readonly application: Application;
  readonly project: Project;
  readonly workspace: Workspace;
  readonly signal: AbortSignal;
  /** Receives a sentence about the present step. */
  readonly onProgress: (message: string) => void;
}

/** The result of the import for one revision. */
export interface ImportedRevision {
  readonly id: string;
  /** A description of its changes, in a few sentences. */
  readonly does: string;
  /** `written`: by this run; `left`: the maintainer must finish it; `kept`: the file existed and was not changed. */
  readonly file: 'written' | 'left' | 'kept';
  /** The differences between the result and the application's, by engine; empty if they are equal. */
  readonly differences: Readonly<Record<Engine, readonly string[]>>;
  /** The errors of the application's own upgrade, by engine. */
  readonly failures: Readonly<Partial<Record<Engine, string>>>;
  /** Differences of the application's SQLite from both its PostgreSQL and db-init. db-init does not copy them. */
  readonly sqliteDeviations: readonly string[];
}

export interface Imported {
  readonly heads: readonly string[];
  readonly revisions: readonly ImportedRevision[];
  /** Notes for the reader of the table. */
  readonly notes: readonly string[];
}

/** A database that the application upgrades from revision to revision. */
interface TrackedDatabase {
  readonly name: string;
  readonly engine: Engine;
  readonly kind: 'empty' | 'filled';
  readonly url: string;
  observation: Observation;
  /** Whether both the application and db-init failed: this database is not used any more. */
  abandoned: boolean;
}

const engines: readonly Engine[] = ['postgresql', 'sqlite'];

/**
 * Imports a release of the application: lets the application migrate databases, writes migrations from the changes, and
 * runs these on copies of the same databases. It runs existing migration files, and never overwrites them.
 * @throws Error if the application cannot be run, or does not know db-init's own revisions
 */
export async function importRelease(context: ImportContext): Promise<Imported> {
  const { application, project, workspace, release, signal, onProgress } = context;
  const releases = readReleases(project.read('src/releases.ts'));
  requireNewer(release, releases);
  const url = await workspace.create('postgresql', 'asked');
  onProgress('asking the application for its revisions');
  const heads = await application.heads(url);
  const history = await application.history(url);
  const start = findStart(project, releases, release, history);
  const unknown = newRevisions(history, heads, start);
  const notes = describeChangedParents(project, history);
  if (unknown.length === 0) {
    await writeFiles(context, heads, history, []);
    return { heads, revisions: [], notes };
  }

  onProgress(`making databases of both engines at ${start.heads.join(', ')}`);
  const databases = await makeDatabases(context, start, notes);
  const results: Result[] = [];
  const chain = [...start.revisions];
  for (const revision of unknown) {
    signal.throwIfAborted();
    onProgress(`${results.length + 1} of ${unknown.length}: ${revision.id}`);
    const result = await importRevision(context, revision, chain, databases);
    chain.push(result.revision);
    results.push(result);
  }
  await writeFiles(
    context,
    heads,
    history,
    results.map(({ facts }) => facts),
  );
  return { heads, revisions: results.map(({ imported }) => imported), notes };
}

function requireNewer(release: string, releases: readonly ReleaseRange[]): void {
  const last = releases.at(-1)?.to ?? '';
  if (isOlder(release, last)) {
    throw new Error(`${release} is older than ${last}, which db-init is for: there is nothing to import.`);
  }
}

/**
 * Finds the revisions at which an import begins: db-init's own heads, or, if the release was imported before, the heads of
 * the release before it. So an import can be repeated.
 */
function findStart(
  project: Project,
  releases: readonly ReleaseRange[],
  release: string,
  history: readonly ApplicationRevision[],
): Graph {
  const listed = project.order();
  // files that the graph does not list come from an interrupted import: they are run when their revision is imported
  const own = inOrder(withKnownParents(project.migrations().filter(({ id }) => listed.includes(id))), listed).map(
    ({ file, id, parents }) => ({ id, parents, load: () => project.load(project.read(`migrations/${file}`)) }),
  );
  const whole = createGraph(own);
  const former = releases.at(-1)?.to === release ? releases.at(-2) : undefined;
  const again = former?.heads.every((head) => whole.knows(head)) === true;
  const base = new Set(again ? whole.withAncestors(former.heads) : listed);
  // revisions that the application does not know stay
  const told = new Set(history.map(({ id }) => id));
  const graph = createGraph(own.filter(({ id }) => base.has(id) || !told.has(id)));
  const strange = graph.heads.filter((head) => !told.has(head));
  if (strange.length > 0) {
    throw new Error(
      `The application does not know ${strange.join(', ')}, at which db-init is. Is it older than db-init's own release, or another application?`,
    );
  }
  return graph;
}

/** Leaves out migrations whose parents are missing: the maintainer has deleted a file to have it written again. */
function withKnownParents(migrations: readonly WrittenMigration[]): readonly WrittenMigration[] {
  const ids = new Set(migrations.map(({ id }) => id));
  const kept = migrations.filter(({ parents }) => parents.every((parent) => ids.has(parent)));
  return kept.length === migrations.length ? kept : withKnownParents(kept);
}

function newRevisions(
  history: readonly ApplicationRevision[],
  heads: readonly string[],
  start: Graph,
): readonly ApplicationRevision[] {
  const ids = new Set(history.map(({ id }) => id));
  const lost = [
    ...heads.filter((head) => !ids.has(head)),
    ...history.flatMap(({ id, parents }) => parents.filter((parent) => !ids.has(parent) && !start.knows(id))),
  ];
  if (heads.length === 0 || lost.length > 0) {
    throw new Error(
      heads.length === 0
        ? 'The application names no head: `heads` printed nothing that could be read.'
        : `The application's history does not tell of ${[...new Set(lost)].join(', ')}.`,
    );
  }
  return history.filter(({ id }) => !start.knows(id));
}

/** Describes revisions to which the application now gives other parents: databases may be between the two. */
function describeChangedParents(project: Project, history: readonly ApplicationRevision[]): string[] {
  const told = new Map(history.map(({ id, parents }) => [id, parents]));
  return project.migrations().flatMap(({ id, parents }) => {
    const now = told.get(id);
    if (now === undefined || now.toSorted().join() === parents.toSorted().join()) return [];
    if (!parents.every((parent) => told.has(parent))) return [];
    return [
      `The application now puts ${id} behind ${now.join(', ') || 'nothing'}; here it is behind ${parents.join(', ')}. See docs/history.md.`,
    ];
  });
}

async function makeDatabases(
  { workspace, signal }: ImportContext,
  start: Graph,
  notes: string[],
): Promise<readonly TrackedDatabase[]> {
  const now = new Date();
  const databases: TrackedDatabase[] = [];
  for (const engine of engines) {
    const empty = await workspace.create(engine, `empty_${engine}`);
    await migrateTo(empty, start, signal);
    const filled = await workspace.create(engine, `filled_${engine}`, `empty_${engine}`);
    const without = await fill(filled, now, signal);
    notes.push(...without.map((reason) => `On ${titles[engine]} nothing was tried with ${reason}.`));
    for (const [kind, url] of [
      ['empty', empty],
      ['filled', filled],
    ] as const) {
      databases.push({
        name: `${kind}_${engine}`,
        engine,
        kind,
        url,
        observation: await observe(url, signal),
        abandoned: false,
      });
    }
  }
  await workspace.statements('filled_postgresql');
  return databases;
}

export const titles: Readonly<Record<Engine, string>> = { postgresql: 'PostgreSQL', sqlite: 'SQLite' };

interface Result {
  readonly imported: ImportedRevision;
  readonly revision: Revision;
  readonly facts: Readonly<Record<Engine, RevisionFacts>>;
}

/** The application's run of one revision on one database. */
interface ApplicationRun {
  readonly database: TrackedDatabase;
  readonly before: Observation;
  readonly upgrade: Upgrade;
  /** The observation after the application's own upgrade; equal to `before` if that failed. */
  readonly after: Observation;
  /** The URL of a copy from before the revision, on which db-init's own migration runs. */
  readonly copy: string;
}

async function importRevision(
  context: ImportContext,
  { id, parents, summary }: ApplicationRevision,
  chain: readonly Revision[],
  databases: readonly TrackedDatabase[],
): Promise<Result> {
  const { project, workspace } = context;
  const applicationRuns = await runApplication(context, id, databases);
  const failures = failuresOf(applicationRuns);
  const statements = await workspace.statements('filled_postgresql');
  const file = `migrations/${id}.ts`;
  const kept = project.has(file) ? project.read(file) : null;
  const derived = derive(applicationRuns, statements);
  const plain = { revision: id, parents, steps: derived.steps, left: [] };
  const text = kept ?? renderMigration(plain);
  const revision: Revision = { id, parents, load: () => project.load(text) };

  const trials = await runOwnMigration(context, createGraph([...chain, revision]), applicationRuns);
  const found = (engine: Engine): readonly string[] => [
    ...new Set(
      trials.flatMap(({ applicationRun, differences: list }) =>
        applicationRun.database.engine === engine ? list : [],
      ),
    ),
  ];
  const different = { postgresql: found('postgresql'), sqlite: found('sqlite') };
  const all = engines.flatMap((engine) => different[engine].map((difference) => `${titles[engine]}: ${difference}`));
  const left = [...derived.inexpressible, ...all];
  if (left.length > 0) left.push(...describeRowChanges(statements));
  const migration: MigrationText = { ...plain, left };
  if (kept === null) await project.write(file, renderMigration(migration));
  await advance(context, trials);

  const unfinished = kept === null ? left.length > 0 : isUnfinished(kept);
  return {
    imported: {
      id,
      does: describeMigration(migration),
      file: unfinished ? 'left' : kept === null ? 'written' : 'kept',
      differences: different,
      failures,
      sqliteDeviations: [...new Set(trials.flatMap(({ sqliteDeviations }) => sqliteDeviations))],
    },
    // later revisions run on the result of the steps, even if the migration is not finished
    revision: { id, parents, load: () => project.load(unfinished ? emptyMigration : text) },
    facts: factsOf(trials, { revision: id, downRevisions: parents, summary }),
  };
}

const emptyMigration = 'export const up = async () => {};';

/** Lets the application upgrade all databases, and observes them before and after. */
async function runApplication(
  { application, workspace, signal }: ImportContext,
  id: string,
  databases: readonly TrackedDatabase[],
): Promise<readonly ApplicationRun[]> {
  const open = databases.filter(({ abandoned }) => !abandoned);
  const copies = new Map<TrackedDatabase, string>();
  for (const database of open)
    copies.set(database, await workspace.create(database.engine, `${database.name}_copy`, database.name));
  return Promise.all(
    open.map(async (database) => {
      const upgrade = await application.upgrade(database.url, id);
      const before = database.observation;
      const after = upgrade.kind === 'done' ? await observe(database.url, signal) : before;
      return { database, before, upgrade, after, copy: copies.get(database) ?? '' };
    }),
  );
}

function failuresOf(applicationRuns: readonly ApplicationRun[]): Partial<Record<Engine, string>> {
  const reasons = engines.flatMap((engine) => {
    const [empty, filled] = (['empty', 'filled'] as const).map((kind) => {
      const upgrade = applicationRuns.find(
        ({ database }) => database.engine === engine && database.kind === kind,
      )?.upgrade;
      return upgrade?.kind === 'failed' ? upgrade.reason : null;
    });
    if (empty !== null && empty !== undefined) return [[engine, empty] as const];
    return filled === null || filled === undefined ? [] : [[engine, `where there are rows, ${filled}`] as const];
  });
  return Object.fromEntries(reasons);
}

function derive(applicationRuns: readonly ApplicationRun[], statements: readonly string[]): DerivedSteps {
  const done = (engine: Engine, kind: TrackedDatabase['kind']): ApplicationRun | undefined =>
    applicationRuns.find(
      ({ database, upgrade }) => database.engine === engine && database.kind === kind && upgrade.kind === 'done',
    );
  const postgres = done('postgresql', 'empty') ?? done('postgresql', 'filled');
  const sqlite = done('sqlite', 'empty') ?? done('sqlite', 'filled');
  const before = (postgres ?? applicationRuns.find(({ database }) => database.engine === 'postgresql'))?.before.catalog;
  const after =
    postgres?.after.catalog ??
    (before === undefined || sqlite === undefined
      ? undefined
      : toPostgresCatalog(before, { before: sqlite.before.catalog, after: sqlite.after.catalog }));
  if (before === undefined || after === undefined) {
    return { steps: [], inexpressible: ["the application's own upgrade came through on neither engine"] };
  }
  const filled = done(postgres === undefined ? 'sqlite' : 'postgresql', 'filled') ?? postgres ?? sqlite;
  const renames = findRenames({
    before,
    after,
    rowsBefore: filled?.before.rows ?? {},
    rowsAfter: filled?.after.rows ?? {},
    statements,
  });
  return deriveSteps({
    before,
    after,
    sqlite: sqlite?.after.catalog ?? null,
    renames,
    initialValues: findInitialValues(statements),
  });
}

/** Finds columns that were added with a default which was dropped afterwards: existing rows keep its value. */
export function findInitialValues(statements: readonly string[]): ReadonlyMap<string, string> {
  const name = (text: string): string => text.replaceAll('"', '').replace(/^public\./, '');
  const filled = new Map<string, string>();
  const dropped = new Set<string>();
  for (const statement of statements) {
    const [, table, column, value] =
      /^\s*ALTER TABLE (\S+) ADD COLUMN (\S+) .*?\bDEFAULT ('(?:[^']|'')*'(?:::[\w ]+)?|\S+?\(\)|[^\s,;]+)/is.exec(
        statement,
      ) ?? [];
    if (table !== undefined && column !== undefined && value !== undefined)
      filled.set(`${name(table)}.${name(column)}`, value);
    const [, owner, part] = /^\s*ALTER TABLE (\S+) ALTER COLUMN (\S+) DROP DEFAULT/i.exec(statement) ?? [];
    if (owner !== undefined && part !== undefined) dropped.add(`${name(owner)}.${name(part)}`);
  }
  return new Map([...filled].filter(([column]) => dropped.has(column)));
}

/** Describes statements that changed rows of other tables than the version table. */
function describeRowChanges(statements: readonly string[]): string[] {
  const told = statements
    .map((statement) => statement.replaceAll(/\s+/g, ' ').trim())
    .filter(
      (statement) =>
        /^(?:UPDATE|INSERT|DELETE|WITH|MERGE)\b/i.test(statement) && !/\balembic_version\b/.test(statement),
    );
  const shown = told
    .slice(0, 3)
    .map((statement) => (statement.length > 160 ? `${statement.slice(0, 160)}…` : statement));
  const more = told.length > 3 ? [`${told.length - 3} statements more`] : [];
  return told.length === 0 ? [] : [`the server was told: ${[...shown, ...more].join(' | ')}`];
}

interface OwnRun {
  readonly applicationRun: ApplicationRun;
  /** The observation after db-init's own migration of the same database; null if it failed. */
  readonly ours: Observation | null;
  readonly differences: readonly string[];
  /** See `ImportedRevision`. */
  readonly sqliteDeviations: readonly string[];
}

/** Runs db-init's own migration on the copies, and compares the results. */
async function runOwnMigration(
  { signal }: ImportContext,
  graph: Graph,
  applicationRuns: readonly ApplicationRun[],
): Promise<readonly OwnRun[]> {
  const trials: OwnRun[] = [];
  for (const applicationRun of applicationRuns) {
    const { database, copy } = applicationRun;
    try {
      await migrateTo(copy, graph, signal);
    } catch (error) {
      signal.throwIfAborted();
      const reason = `${database.kind === 'filled' ? 'where there are rows, ' : ''}${reasonOf(error).replaceAll(/\s+/g, ' ')}`;
      const known = trials.some(
        (trial) => trial.applicationRun.database.engine === database.engine && trial.ours === null,
      );
      trials.push({ applicationRun, ours: null, differences: known ? [] : [reason], sqliteDeviations: [] });
      continue;
    }
    const ours = await observe(copy, signal);
    trials.push({ applicationRun, ours, ...compareResults(applicationRun, ours, applicationRuns) });
  }
  return trials;
}

/**
 * Compares the rows and the schema with those of the application. On SQLite, the schema may also be as on PostgreSQL: there
 * Alembic copies tables, and the copy loses the parts that Alembic does not know (ON DELETE). If the application failed
 * on this engine, its result on the other engine counts as expected.
 */
function compareResults(
  applicationRun: ApplicationRun,
  after: Observation,
  applicationRuns: readonly ApplicationRun[],
): Pick<OwnRun, 'differences' | 'sqliteDeviations'> {
  const { database, before, upgrade } = applicationRun;
  const ours = { engine: database.engine, before, after };
  const other = applicationRuns.find(
    (one) =>
      one.database.engine !== database.engine && one.database.kind === database.kind && one.upgrade.kind === 'done',
  );
  const across = other === undefined ? null : { ...other, engine: other.database.engine };
  if (upgrade.kind === 'done') {
    const theirs = { ...applicationRun, engine: database.engine };
    const found = schemaDifferences(theirs, ours);
    const spare = database.engine === 'sqlite' && across !== null && schemaDifferencesAcross(across, ours).length === 0;
    return {
      differences: [...(spare ? [] : found), ...rowDifferences(theirs, ours)],
      sqliteDeviations: spare ? found : [],
    };
  }
  if (across === null) {
    return {
      differences: ["the application's own upgrade failed on both engines: nothing says what is expected"],
      sqliteDeviations: [],
    };
  }
  return {
    differences: [...schemaDifferencesAcross(across, ours), ...countDifferences(across, ours)],
    sqliteDeviations: [],
  };
}

/**
 * Prepares every database for the next revision: it continues from the application's result, or from db-init's if the
 * application failed. New tables get rows.
 */
async function advance({ workspace, signal }: ImportContext, trials: readonly OwnRun[]): Promise<void> {
  for (const { applicationRun, ours } of trials) {
    const { database, before, upgrade, after } = applicationRun;
    if (upgrade.kind === 'done') {
      database.observation = after;
    } else if (ours === null) {
      database.abandoned = true;
    } else {
      await workspace.create(database.engine, database.name, `${database.name}_copy`);
      database.observation = ours;
    }
    const added = Object.keys(database.observation.catalog.tables).filter(
      (table) => !Object.hasOwn(before.catalog.tables, table),
    );
    if (database.kind === 'filled' && !database.abandoned && added.length > 0) {
      await fillTables(database.url, added, signal);
      database.observation = await observe(database.url, signal);
    }
  }
  // forget the statements of db-init itself
  await workspace.statements('filled_postgresql');
}

/** The application's changes to the empty databases, or db-init's if the application failed. */
function factsOf(
  trials: readonly OwnRun[],
  entry: Omit<RevisionFacts, 'changes'>,
): Readonly<Record<Engine, RevisionFacts>> {
  const changes = (engine: Engine): readonly object[] => {
    const trial = trials.find(
      ({ applicationRun }) => applicationRun.database.engine === engine && applicationRun.database.kind === 'empty',
    );
    if (trial === undefined) return [];
    const { before, after, upgrade } = trial.applicationRun;
    const result = upgrade.kind === 'done' ? after : (trial.ours ?? before);
    return changesOf(before.catalog, result.catalog, engine, engine === 'postgresql' ? rowFacts(before, result) : {});
  };
  return {
    postgresql: { ...entry, changes: changes('postgresql') },
    sqlite: { revision: entry.revision, downRevisions: entry.downRevisions, changes: changes('sqlite') },
  };
}

function rowFacts(before: Observation, after: Observation): RowFacts {
  const facts = (rows: Observation['rows'], table: string): FactRow[] =>
    (rows[table] ?? []).map((row) =>
      Object.fromEntries(
        Object.entries(row).flatMap(([name, value]) => {
          if (value === null) return [];
          const now = value >= before.at && value <= `${after.at}~`;
          return [[name, now ? '<now>' : parseCell(value, after.catalog.tables[table]?.columns[name]?.type ?? '')]];
        }),
      ),
    );
  const changed = Object.keys(after.catalog.tables).flatMap((table) => {
    const [was, is] = [facts(before.rows, table), facts(after.rows, table)];
    const without = (rows: FactRow[], others: FactRow[]): FactRow[] => {
      const held = new Set(others.map((row) => JSON.stringify(row)));
      return rows.filter((row) => !held.has(JSON.stringify(row)));
    };
    const [added, gone] = [without(is, was), without(was, is)];
    return added.length + gone.length === 0 ? [] : [[table, { added, gone }] as const];
  });
  return Object.fromEntries(changed);
}

function parseCell(value: string, type: string): unknown {
  if (type === 'boolean') return value === 'true' || value === 't';
  return /^(?:integer|bigint|smallint|double precision|real)$/.test(type) ? Number(value) : value;
}

/** Writes the graph, the file of the release and the facts. */
async function writeFiles(
  { project, release }: ImportContext,
  heads: readonly string[],
  history: readonly ApplicationRevision[],
  facts: readonly Readonly<Record<Engine, RevisionFacts>>[],
): Promise<void> {
  const migrations = project.migrations();
  const told = history.map(({ id }) => id);
  // existing revisions keep their order; new ones have the order of the application
  const order = [
    ...project.order().filter((id) => !facts.some(({ postgresql }) => postgresql.revision === id)),
    ...told.filter((id) => facts.some(({ postgresql }) => postgresql.revision === id)),
  ];
  await project.write('migrations/graph.ts', renderGraph(inOrder(migrations, order)));
  await project.write('src/releases.ts', addRelease(project.read('src/releases.ts'), release, heads));
  for (const engine of engines) {
    const name = engine === 'postgresql' ? 'postgres' : 'sqlite';
    const fresh = facts.map((entry) => entry[engine]);
    const kept = project
      .readFacts(name)
      .filter(
        ({ revision }) =>
          !fresh.some((entry) => entry.revision === revision) && migrations.some(({ id }) => id === revision),
      );
    if (fresh.length > 0) project.writeFacts(name, [...kept, ...fresh]);
  }
}
