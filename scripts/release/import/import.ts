import type { Engine } from '../../../src/model/engine.ts';
import { createGraph, type Graph, type Revision } from '../../../src/migration/graph.ts';
import { reasonOf } from '../../../src/errors/failure.ts';
import type { ReleaseRange } from '../../../src/releases.ts';
import { changesOf, type FactRow, type RevisionFacts, type RowFacts } from '../facts.ts';
import { inOrder, renderGraph, type WrittenMigration } from '../graph-file.ts';
import { addRelease, isOlder, readReleases } from '../releases-file.ts';
import type { Application, ApplicationRevision, Upgrade } from './application.ts';
import { countDifferences, rowDifferences, schemaDifferences, schemaDifferencesAcross } from './compare.ts';
import { bringTo, observe, type Observation } from './databases.ts';
import { fill, fillTables } from './fill.ts';
import { asOnPostgres } from './from-sqlite.ts';
import { describeMigration, isUnfinished, type MigrationText, renderMigration } from './migration-file.ts';
import type { Project } from './project.ts';
import { findRenames } from './renames.ts';
import { deriveSteps, type Derived } from './steps.ts';
import type { Workshop } from './workshop.ts';

/** What an import works with. */
export interface ImportContext {
  readonly release: string;
  readonly application: Application;
  readonly project: Project;
  readonly workshop: Workshop;
  readonly signal: AbortSignal;
  /** Told what is done now, in a sentence. */
  readonly onProgress: (message: string) => void;
}

/** What became of a revision. */
export interface ImportedRevision {
  readonly id: string;
  /** What it does, in a few sentences. */
  readonly does: string;
  /** `written`: by this run; `left`: somebody has to finish it; `kept`: the file was there and stays as it is. */
  readonly file: 'written' | 'left' | 'kept';
  /** In what way the result differs from the application's, by engine; empty where it is equal. */
  readonly differences: Readonly<Record<Engine, readonly string[]>>;
  /** What the application's own upgrade said where it failed, by engine. */
  readonly failures: Readonly<Partial<Record<Engine, string>>>;
  /** What the application's own SQLite loses or keeps, unlike its PostgreSQL and unlike db-init's. */
  readonly spared: readonly string[];
}

export interface Imported {
  readonly heads: readonly string[];
  readonly revisions: readonly ImportedRevision[];
  /** What a reader of the table should know beside. */
  readonly notes: readonly string[];
}

/** A database on its way through the application's own revisions. */
interface Line {
  readonly name: string;
  readonly engine: Engine;
  readonly kind: 'empty' | 'filled';
  readonly url: string;
  seen: Observation;
  /** The application did not get this far, nor could db-init: nothing more is seen here. */
  lost: boolean;
}

const engines: readonly Engine[] = ['postgresql', 'sqlite'];

/**
 * Brings a release of the application in: has the application migrate databases, writes what it did as migrations,
 * and runs those on copies of the same databases. Files of migrations that are there are run and never written over.
 * @throws Error if the application cannot be asked, or does not know db-init's own revisions
 */
export async function importRelease(context: ImportContext): Promise<Imported> {
  const { application, project, workshop, release, signal, onProgress } = context;
  const releases = readReleases(project.read('src/releases.ts'));
  requireNewer(release, releases);
  const url = await workshop.create('postgresql', 'asked');
  onProgress('asking the application for its revisions');
  const heads = await application.heads(url);
  const history = await application.history(url);
  const start = startOf(project, releases, release, history);
  const unknown = newRevisions(history, heads, start);
  const notes = rewritten(project, history);
  if (unknown.length === 0) {
    await writeFiles(context, heads, history, []);
    return { heads, revisions: [], notes };
  }

  onProgress(`making databases of both engines at ${start.heads.join(', ')}`);
  const lines = await makeLines(context, start, notes);
  const results: Result[] = [];
  const chain = [...start.revisions];
  for (const revision of unknown) {
    signal.throwIfAborted();
    onProgress(`${results.length + 1} of ${unknown.length}: ${revision.id}`);
    const result = await importRevision(context, revision, chain, lines);
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
 * Where an import begins: at db-init's own heads; where the release was imported before, at those of the one before,
 * so that an import can be repeated.
 */
function startOf(
  project: Project,
  releases: readonly ReleaseRange[],
  release: string,
  history: readonly ApplicationRevision[],
): Graph {
  const listed = project.order();
  // files beyond the graph are of an import that was interrupted: they are tried when their turn comes
  const own = inOrder(withParents(project.migrations().filter(({ id }) => listed.includes(id))), listed).map(
    ({ file, id, parents }) => ({ id, parents, load: () => project.load(project.read(`migrations/${file}`)) }),
  );
  const whole = createGraph(own);
  const former = releases.at(-1)?.to === release ? releases.at(-2) : undefined;
  const again = former?.heads.every((head) => whole.knows(head)) === true;
  const base = new Set(again ? whole.withAncestors(former.heads) : listed);
  // what somebody added and the application does not have stays
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

/** Without those that somebody took away, to have them written anew, and without what comes after them. */
function withParents(migrations: readonly WrittenMigration[]): readonly WrittenMigration[] {
  const ids = new Set(migrations.map(({ id }) => id));
  const kept = migrations.filter(({ parents }) => parents.every((parent) => ids.has(parent)));
  return kept.length === migrations.length ? kept : withParents(kept);
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

/** Revisions that the application gives other parents than before: databases in the field may stand between them. */
function rewritten(project: Project, history: readonly ApplicationRevision[]): string[] {
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

async function makeLines({ workshop, signal }: ImportContext, start: Graph, notes: string[]): Promise<readonly Line[]> {
  const now = new Date();
  const lines: Line[] = [];
  for (const engine of engines) {
    const empty = await workshop.create(engine, `empty_${engine}`);
    await bringTo(empty, start, signal);
    const filled = await workshop.create(engine, `filled_${engine}`, `empty_${engine}`);
    const without = await fill(filled, now, signal);
    notes.push(...without.map((reason) => `On ${titles[engine]} nothing was tried with ${reason}.`));
    for (const [kind, url] of [
      ['empty', empty],
      ['filled', filled],
    ] as const) {
      lines.push({ name: `${kind}_${engine}`, engine, kind, url, seen: await observe(url, signal), lost: false });
    }
  }
  await workshop.statements('filled_postgresql');
  return lines;
}

export const titles: Readonly<Record<Engine, string>> = { postgresql: 'PostgreSQL', sqlite: 'SQLite' };

interface Result {
  readonly imported: ImportedRevision;
  readonly revision: Revision;
  readonly facts: Readonly<Record<Engine, RevisionFacts>>;
}

/** What one line saw of a revision. */
interface Sight {
  readonly line: Line;
  readonly before: Observation;
  readonly upgrade: Upgrade;
  /** After the application's own upgrade; what it was before, where that failed. */
  readonly after: Observation;
  /** The database before the revision: db-init's own migration runs on it. */
  readonly copy: string;
}

async function importRevision(
  context: ImportContext,
  { id, parents, summary }: ApplicationRevision,
  chain: readonly Revision[],
  lines: readonly Line[],
): Promise<Result> {
  const { project, workshop } = context;
  const sights = await watch(context, id, lines);
  const failures = failuresOf(sights);
  const statements = await workshop.statements('filled_postgresql');
  const file = `migrations/${id}.ts`;
  const kept = project.has(file) ? project.read(file) : null;
  const derived = derive(sights, statements);
  const plain = { revision: id, parents, steps: derived.steps, left: [] };
  const text = kept ?? renderMigration(plain);
  const revision: Revision = { id, parents, load: () => project.load(text) };

  const trials = await tryOut(context, createGraph([...chain, revision]), sights);
  const found = (engine: Engine): readonly string[] => [
    ...new Set(trials.flatMap(({ sight, differences: list }) => (sight.line.engine === engine ? list : []))),
  ];
  const different = { postgresql: found('postgresql'), sqlite: found('sqlite') };
  const all = engines.flatMap((engine) => different[engine].map((difference) => `${titles[engine]}: ${difference}`));
  const left = [...derived.inexpressible, ...all];
  if (left.length > 0) left.push(...changingRows(statements));
  const migration: MigrationText = { ...plain, left };
  if (kept === null) await project.write(file, renderMigration(migration));
  await goOn(context, trials);

  const unfinished = kept === null ? left.length > 0 : isUnfinished(kept);
  return {
    imported: {
      id,
      does: describeMigration(migration),
      file: unfinished ? 'left' : kept === null ? 'written' : 'kept',
      differences: different,
      failures,
      spared: [...new Set(trials.flatMap(({ spared }) => spared))],
    },
    // what follows is tried on what the steps made, even where something is left
    revision: { id, parents, load: () => project.load(unfinished ? nothing : text) },
    facts: factsOf(trials, { revision: id, downRevisions: parents, summary }),
  };
}

const nothing = 'export const up = async () => {};';

/** Has the application upgrade all databases, and looks at them before and after. */
async function watch(
  { application, workshop, signal }: ImportContext,
  id: string,
  lines: readonly Line[],
): Promise<readonly Sight[]> {
  const open = lines.filter(({ lost }) => !lost);
  const copies = new Map<Line, string>();
  for (const line of open) copies.set(line, await workshop.create(line.engine, `${line.name}_copy`, line.name));
  return Promise.all(
    open.map(async (line) => {
      const upgrade = await application.upgrade(line.url, id);
      const before = line.seen;
      const after = upgrade.kind === 'done' ? await observe(line.url, signal) : before;
      return { line, before, upgrade, after, copy: copies.get(line) ?? '' };
    }),
  );
}

function failuresOf(sights: readonly Sight[]): Partial<Record<Engine, string>> {
  const reasons = engines.flatMap((engine) => {
    const [empty, filled] = (['empty', 'filled'] as const).map((kind) => {
      const upgrade = sights.find(({ line }) => line.engine === engine && line.kind === kind)?.upgrade;
      return upgrade?.kind === 'failed' ? upgrade.reason : null;
    });
    if (empty !== null && empty !== undefined) return [[engine, empty] as const];
    return filled === null || filled === undefined ? [] : [[engine, `where there are rows, ${filled}`] as const];
  });
  return Object.fromEntries(reasons);
}

function derive(sights: readonly Sight[], statements: readonly string[]): Derived {
  const done = (engine: Engine, kind: Line['kind']): Sight | undefined =>
    sights.find(({ line, upgrade }) => line.engine === engine && line.kind === kind && upgrade.kind === 'done');
  const postgres = done('postgresql', 'empty') ?? done('postgresql', 'filled');
  const sqlite = done('sqlite', 'empty') ?? done('sqlite', 'filled');
  const before = (postgres ?? sights.find(({ line }) => line.engine === 'postgresql'))?.before.catalog;
  const after =
    postgres?.after.catalog ??
    (before === undefined || sqlite === undefined
      ? undefined
      : asOnPostgres(before, { before: sqlite.before.catalog, after: sqlite.after.catalog }));
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
    fillings: fillingsIn(statements),
  });
}

/** Columns that were added with a default that went again: existing rows keep what it put there. */
export function fillingsIn(statements: readonly string[]): ReadonlyMap<string, string> {
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

/** Statements that changed rows, but for the version's. */
function changingRows(statements: readonly string[]): string[] {
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

interface Trial {
  readonly sight: Sight;
  /** What db-init's own migration made of the same database; null where it failed. */
  readonly ours: Observation | null;
  readonly differences: readonly string[];
  /** In what way the application's own SQLite differs from its PostgreSQL, and ours does not. */
  readonly spared: readonly string[];
}

/** Runs db-init's own migration on the copies, and compares. */
async function tryOut({ signal }: ImportContext, graph: Graph, sights: readonly Sight[]): Promise<readonly Trial[]> {
  const trials: Trial[] = [];
  for (const sight of sights) {
    const { line, copy } = sight;
    try {
      await bringTo(copy, graph, signal);
    } catch (error) {
      signal.throwIfAborted();
      const reason = `${line.kind === 'filled' ? 'where there are rows, ' : ''}${reasonOf(error).replaceAll(/\s+/g, ' ')}`;
      const known = trials.some((trial) => trial.sight.line.engine === line.engine && trial.ours === null);
      trials.push({ sight, ours: null, differences: known ? [] : [reason], spared: [] });
      continue;
    }
    const ours = await observe(copy, signal);
    trials.push({ sight, ours, ...judge(sight, ours, sights) });
  }
  return trials;
}

/**
 * Rows are held against the application's own; the schema too, but on SQLite it may be as on PostgreSQL instead: there
 * Alembic copies tables, and what it does not understand of them (what happens on DELETE) is lost in the copy. Where
 * the application failed, the other engine says what is expected.
 */
function judge(sight: Sight, after: Observation, sights: readonly Sight[]): Pick<Trial, 'differences' | 'spared'> {
  const { line, before, upgrade } = sight;
  const ours = { engine: line.engine, before, after };
  const other = sights.find(
    (one) => one.line.engine !== line.engine && one.line.kind === line.kind && one.upgrade.kind === 'done',
  );
  const across = other === undefined ? null : { ...other, engine: other.line.engine };
  if (upgrade.kind === 'done') {
    const theirs = { ...sight, engine: line.engine };
    const found = schemaDifferences(theirs, ours);
    const spare = line.engine === 'sqlite' && across !== null && schemaDifferencesAcross(across, ours).length === 0;
    return { differences: [...(spare ? [] : found), ...rowDifferences(theirs, ours)], spared: spare ? found : [] };
  }
  if (across === null) {
    return {
      differences: ["the application's own upgrade failed on both engines: nothing says what is expected"],
      spared: [],
    };
  }
  return { differences: [...schemaDifferencesAcross(across, ours), ...countDifferences(across, ours)], spared: [] };
}

/**
 * Every line goes on from where the application is, or from what db-init made where that failed. Tables that came get
 * rows, for the revisions after this one.
 */
async function goOn({ workshop, signal }: ImportContext, trials: readonly Trial[]): Promise<void> {
  for (const { sight, ours } of trials) {
    const { line, before, upgrade, after } = sight;
    if (upgrade.kind === 'done') {
      line.seen = after;
    } else if (ours === null) {
      line.lost = true;
    } else {
      await workshop.create(line.engine, line.name, `${line.name}_copy`);
      line.seen = ours;
    }
    const come = Object.keys(line.seen.catalog.tables).filter((table) => !Object.hasOwn(before.catalog.tables, table));
    if (line.kind === 'filled' && !line.lost && come.length > 0) {
      await fillTables(line.url, come, signal);
      line.seen = await observe(line.url, signal);
    }
  }
  // what db-init did itself is not what the application is watched for
  await workshop.statements('filled_postgresql');
}

/** What the application did to the empty databases; where it failed, what db-init did instead. */
function factsOf(
  trials: readonly Trial[],
  entry: Omit<RevisionFacts, 'changes'>,
): Readonly<Record<Engine, RevisionFacts>> {
  const changes = (engine: Engine): readonly object[] => {
    const trial = trials.find(({ sight }) => sight.line.engine === engine && sight.line.kind === 'empty');
    if (trial === undefined) return [];
    const { before, after, upgrade } = trial.sight;
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
          return [[name, now ? '<now>' : typed(value, after.catalog.tables[table]?.columns[name]?.type ?? '')]];
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

function typed(value: string, type: string): unknown {
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
  // what was there keeps its order; what is new comes in the application's
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
