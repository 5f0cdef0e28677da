import type { Session } from '../../database/session.ts';
import { Failure, type QuarantineObstacle } from '../../failure.ts';
import { summariseHeld } from '../../report/quarantine-text.ts';
import { versionTable } from '../../schema/catalog.ts';
import { loadHead } from '../../schema/promise.ts';
import type { Quarantine, QuarantineContext } from '../quarantine.ts';
import { inBatches, quarantineBatches, requireAlone } from './batches.ts';
import { type Held, type HeldThing, pick } from './held.ts';
import { type QuarantineSchema, readSchemas } from './label.ts';
import { bringBackBatch, dropBatch, findDependents, findNameClashes, homeOf } from './move.ts';
import { countRows, isType, listBatches, rightsMissingToMove } from './things.ts';

/** Quarantine on PostgreSQL: schemas beside the application's. */
export function postgresQuarantine(context: QuarantineContext): Quarantine {
  const { database, log, consent } = context;
  const refuse = (obstacle: QuarantineObstacle): never => {
    throw new Failure({ kind: 'quarantine-refused', database: database.name, obstacle });
  };

  return {
    list: () => database.read(listHeld),

    async create(everything) {
      const keep = everything ? [] : await namesOfTheApplication();
      const home = await database.read(homeOf);
      const batches = await database.read((session) => listBatches(session, home, 'out', keep));
      const names = batches.flatMap(({ things }) => things).map(({ name }) => name);
      if (names.length === 0) return log.info('There is nothing to move: nothing was changed.');
      await database.read((session) => requireAlone(session, database.name));
      await requireRights(context, home, keep, true);

      const more = names.length > 10 ? ` and ${names.length - 10} more` : '';
      await consent(`This moves out of schema ${home}: ${names.slice(0, 10).join(', ')}${more}. Nothing is dropped.`);
      const what = everything ? 'everything' : "what is not the application's";
      await quarantineBatches(context, batches, `by hand: ${what}`);
    },

    async restore(name, dryRun) {
      const schema = pick(await database.read(readSchemas), name, database.name);
      const names = await database.read((session) => findNameClashes(session, name));
      if (names.length > 0) refuse({ kind: 'names-taken', name, names });
      await requireRights(context, name, [], false);
      if (dryRun) {
        const held = await database.read((session) => describe(session, schema));
        return log.info(`Would bring back ${summariseHeld(held)} from ${name}: nothing was changed.`);
      }
      await inBatches(
        context,
        await database.read((session) => listBatches(session, name, 'back')),
        (transaction, batch) => bringBackBatch(transaction, batch, schema),
        ({ done }) => {
          for (const { thing } of done) log.info(`  brought back ${thing.kind.toLowerCase()} ${thing.quoted}`);
        },
      );
      log.info(`Everything of ${name} is in schema ${await database.read(homeOf)} again.`);
    },

    async purge(name) {
      const schema = pick(await database.read(readSchemas), name, database.name);
      const dependents = await database.read((session) => findDependents(session, name));
      if (dependents.length > 0) refuse({ kind: 'depended-upon', name, dependents });
      await requireRights(context, name, [], false);
      const held = await database.read((session) => describe(session, schema));
      await consent(`This DELETES ${summariseHeld(held)} in ${name} for good.`);
      await inBatches(
        context,
        await database.read((session) => listBatches(session, name, 'drop')),
        (transaction, batch) => dropBatch(transaction, batch, schema),
        ({ done, left }) => log.info(`  dropped ${done.length}, ${left} left`),
      );
      log.info(`${name} is gone.`);
    },
  };
}

/** What the application has a use for: the relations and types of its schema at the head. */
async function namesOfTheApplication(): Promise<readonly string[]> {
  const { tables, enums } = await loadHead('postgresql');
  return [versionTable, ...Object.keys(tables), ...Object.keys(enums)];
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

async function listHeld(session: Session): Promise<readonly Held[]> {
  const held: Held[] = [];
  for (const schema of await readSchemas(session)) held.push(await describe(session, schema));
  return held;
}

/** What a quarantine holds now. Of more relations than one transaction may lock, rows are estimates. */
async function describe(session: Session, { name, label }: QuarantineSchema): Promise<Held> {
  const batches = await listBatches(session, name, 'out');
  const countable = batches.length === 1;
  const contents: HeldThing[] = [];
  for (const thing of batches.flatMap(({ things }) => things)) {
    const rows = countable ? await countRows(session, name, thing) : thing.estimatedRows;
    contents.push({ name: thing.name, kind: thing.kind.toLowerCase(), rows, bytes: thing.bytes });
  }
  const relations = contents.filter(({ kind }) => !isType(kind));
  return {
    name,
    since: label.at,
    state: label.state,
    why: label.why,
    relations: relations.length,
    // what was counted when it was moved is better than estimates
    rows: countable ? sum(contents.map(({ rows }) => rows ?? 0)) : label.rows,
    bytes: sum(contents.map(({ bytes }) => bytes ?? 0)),
    contents,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
