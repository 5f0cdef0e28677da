import { type Quarantine, type QuarantineContext, type QuarantineEntry, type EntryObject, pickEntry } from './entry.ts';
import { currentSchema } from '../database/current-schema.ts';
import { DependentObjectsError, findDependents, lockTables } from '../database/postgres/dependents.ts';
import { text } from '../database/row-values.ts';
import type { Session } from '../database/session.ts';
import { Failure } from '../errors/failure.ts';
import type { QuarantineObstacle } from '../errors/obstacles.ts';
import { quarantineMessages } from '../report/quarantine-messages.ts';
import { versionTable } from '../schema/catalog.ts';
import { loadHead } from '../schema/expected-schema.ts';
import { inBatches, quarantineBatches, requireAlone } from './batches.ts';
import { type QuarantineSchema, readSchemas } from './label.ts';
import { restoreBatch, dropBatch, findNameClashes, quotedApplicationSchema } from './move.ts';
import { bringBackHeldRows, bringBackRows } from './rows.ts';
import { type Batch, countRows, isType, listBatches, rightsMissingToMove } from './objects.ts';

/** Quarantine on PostgreSQL: schemas beside the application's. */
export function postgresQuarantine(context: QuarantineContext): Quarantine {
  return {
    list: () => context.database.read(listEntries),
    create: (everything) => create(context, everything),
    restore: (name, dryRun) => restore(context, name, dryRun),
    purge: (name) => purge(context, name),
  };
}

function refuse({ database }: QuarantineContext, obstacle: QuarantineObstacle): never {
  throw new Failure({ kind: 'quarantine-refused', database: database.name, obstacle });
}

async function create(context: QuarantineContext, everything: boolean): Promise<void> {
  const { database, log, consent } = context;
  const keep = everything ? [] : await database.read(namesOfTheApplication);
  const schema = await database.read(quotedApplicationSchema);
  const batches = await database.read((session) => listBatches(session, schema, 'out', keep));
  const names = namesIn(batches);
  if (names.length === 0) return log.info(quarantineMessages.nothingToMove);
  await database.read((session) => requireAlone(session, database.name));
  await requireRights(context, schema, keep, true);

  await consent(quarantineMessages.moveConsent(schema, names));
  const what = everything ? 'everything' : "what is not the application's";
  await quarantineBatches(context, batches, `by hand: ${what}`);
}

async function restore(context: QuarantineContext, name: string, dryRun: boolean): Promise<void> {
  const { database, log } = context;
  const schema = pickEntry(await database.read(readSchemas), name, database.name);
  if (schema.label.holds === 'rows') {
    return bringBackHeldRows(context, name, dryRun, (session) => bringBackRows(session, name));
  }
  const requireFreeNames = async (session: Session): Promise<void> => {
    const names = await findNameClashes(session, name);
    if (names.length > 0) refuse(context, { kind: 'names-taken', name, names });
  };
  await database.read(requireFreeNames);
  await requireRights(context, name, [], false);
  if (dryRun) {
    const held = await database.read((session) => describe(session, schema));
    return log.info(quarantineMessages.wouldBringBack(held, name));
  }
  await inBatches(
    context,
    'quarantine-restored',
    await database.read((session) => listBatches(session, name, 'back')),
    async (transaction, batch) => {
      await requireFreeNames(transaction);
      return restoreBatch(transaction, batch, schema);
    },
    ({ done }) => {
      for (const { object } of done) log.info(quarantineMessages.broughtBack(object.kind, object.quoted));
    },
  );
  log.info(quarantineMessages.allBack(name, await database.read(quotedApplicationSchema)));
}

async function purge(context: QuarantineContext, name: string): Promise<void> {
  const { database, log, consent } = context;
  const schema = pickEntry(await database.read(readSchemas), name, database.name);
  const dependents = await database.read((session) => findDependents(session, name));
  if (dependents.length > 0) refuse(context, { kind: 'depended-upon', name, dependents });
  await requireRights(context, name, [], false);
  const shown = await database.read((session) => describe(session, schema));
  const batches = await database.read((session) => listBatches(session, name, 'drop'));
  await consent(quarantineMessages.purgeConsent(shown, name));
  await inBatches(
    context,
    'quarantine-purged',
    batches,
    async (transaction, batch) => {
      // the content under the locks must be what was shown when consent was given
      await lockTables(transaction, name, namesIn([batch]));
      const outside = await findDependents(transaction, name);
      if (outside.length > 0) refuse(context, { kind: 'depended-upon', name, dependents: outside });
      if (batch === batches[0]) {
        const changed = differencesOf(shown, await describe(transaction, schema));
        if (changed.length > 0) refuse(context, { kind: 'changed', name, changed });
      }
      try {
        return await dropBatch(transaction, batch, schema);
      } catch (error) {
        if (!(error instanceof DependentObjectsError)) throw error;
        return refuse(context, { kind: 'depended-upon', name, dependents: error.dependents });
      }
    },
    ({ done, left }) => log.info(quarantineMessages.dropped(done.length, left)),
  );
  const remains = (await database.read(readSchemas)).some((held) => held.name === name);
  if (remains) log.warn(quarantineMessages.stillThere(name));
  else log.info(quarantineMessages.gone(name));
}

const namesIn = (batches: readonly Batch[]): readonly string[] =>
  batches.flatMap(({ objects }) => objects).map(({ name }) => name);

/**
 * The differences between a quarantine now and when it was shown: added and removed objects, and tables with another
 * number of rows, if rows were counted.
 */
function differencesOf(shown: QuarantineEntry, now: QuarantineEntry): readonly string[] {
  const keyOf = ({ kind, name, rows }: EntryObject): string =>
    shown.counted ? `${kind} ${name} ${rows}` : `${kind} ${name}`;
  const keysThen = new Set(shown.contents.map(keyOf));
  const keysNow = new Set(now.contents.map(keyOf));
  const different = [
    ...shown.contents.filter((object) => !keysNow.has(keyOf(object))),
    ...now.contents.filter((object) => !keysThen.has(keyOf(object))),
  ];
  return [...new Set(different.map(({ kind, name }) => `${kind} ${name}`))];
}

/** The names that the application uses: the relations of its schema at the head, and the types of their columns. */
async function namesOfTheApplication(session: Session): Promise<readonly string[]> {
  const { tables } = await loadHead('postgresql');
  const types = await session.query(
    `SELECT DISTINCT t.typname::text AS name FROM pg_type t
     JOIN pg_attribute a ON a.atttypid IN (t.oid, t.typarray) AND NOT a.attisdropped
     JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p')
     WHERE t.typnamespace = ${currentSchema} AND t.typtype = 'e' AND c.relname IN (SELECT json_array_elements_text($1::json))`,
    [JSON.stringify(Object.keys(tables))],
  );
  return [versionTable, ...Object.keys(tables), ...types.map((row) => text(row, 'name'))];
}

/** @throws Failure `missing-rights` */
async function requireRights(
  { database }: QuarantineContext,
  schema: string,
  keep: readonly string[],
  quarantines: boolean,
): Promise<void> {
  const rights = [
    ...(await database.missingRights({ alters: [], quarantines })),
    ...(await database.read((session) => rightsMissingToMove(session, schema, keep))),
  ];
  if (rights.length > 0) throw new Failure({ kind: 'missing-rights', database: database.name, rights });
}

async function listEntries(session: Session): Promise<readonly QuarantineEntry[]> {
  const held: QuarantineEntry[] = [];
  for (const schema of await readSchemas(session)) held.push(await describe(session, schema));
  return held;
}

/** The content of a quarantine. If it has more relations than one transaction may lock, the rows are estimates. */
async function describe(session: Session, { name, label }: QuarantineSchema): Promise<QuarantineEntry> {
  const batches = await listBatches(session, name, 'out');
  const countable = batches.length === 1;
  const contents: EntryObject[] = [];
  for (const object of batches.flatMap(({ objects }) => objects)) {
    const rows = countable ? await countRows(session, name, object) : object.estimatedRows;
    contents.push({ name: object.name, kind: object.kind.toLowerCase(), rows, bytes: object.bytes });
  }
  const relations = contents.filter(({ kind }) => !isType(kind));
  return {
    name,
    since: label.at,
    state: label.state,
    why: label.why,
    relations: relations.length,
    // the numbers that were counted at the move are better than estimates
    counted: countable,
    rows: countable ? sum(contents.map(({ rows }) => rows ?? 0)) : label.rows,
    bytes: sum(contents.map(({ bytes }) => bytes ?? 0)),
    contents,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
