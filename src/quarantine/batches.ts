import type { MissingRight } from '../model/database-facts.ts';
import type { Database, Transaction } from '../database/database.ts';
import { findStaying } from '../database/postgres/other-sessions.ts';
import type { Session } from '../database/session.ts';
import { Failure } from '../errors/failure.ts';
import { commandsFor, type CommandSettings } from '../report/commands.ts';
import type { Log } from '../report/log.ts';
import { announceWayBack, quarantineMessages } from '../report/quarantine-messages.ts';
import type { Recorder } from '../report/run-record.ts';
import type { QuarantineSchema } from './label.ts';
import { quotedApplicationSchema, type Progress, quarantineBatch } from './move.ts';
import { type Batch, listBatches, listObjects, rightsMissingToMove } from './objects.ts';

/** What the label says of a corrupted database. */
const corruption = 'tables were there, but neither alembic_version nor any core table';

/** What batches are carried out with, and what is told of each that is committed. */
export interface RecordedBatchContext extends BatchContext {
  readonly recorder: Recorder;
}

/** What batches are carried out with. */
export interface BatchContext {
  readonly database: Database;
  readonly config: CommandSettings;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** What the record of the run calls a batch. */
type BatchKind = 'quarantine' | 'quarantine-restored' | 'quarantine-purged';

/** Runs `step` in one committed transaction for each batch. */
export async function inBatches(
  { database, signal, recorder }: RecordedBatchContext,
  kind: BatchKind,
  batches: readonly Batch[],
  step: (transaction: Transaction, batch: Batch) => Promise<Progress>,
  announce: (progress: Progress) => void,
): Promise<void> {
  for (const batch of batches) {
    signal.throwIfAborted();
    const progress = await database.transaction(async (transaction) => {
      recorder.attempt();
      const done = await step(transaction, batch);
      recorder.step({ kind, schema: done.schema.name, relations: done.done.map(({ thing }) => thing.name) });
      return done;
    });
    announce(progress);
  }
}

/**
 * Puts batches of the application's schema aside.
 * @throws Failure `quarantine-refused`, when somebody has connected since; the next run goes on
 */
export async function quarantineBatches(
  context: RecordedBatchContext,
  batches: readonly Batch[],
  why: string,
): Promise<void> {
  let schema: QuarantineSchema | null = null;
  const step = async (transaction: Transaction, batch: Batch): Promise<Progress> => {
    await requireAlone(transaction, context.database.name);
    return quarantineBatch(transaction, batch, why, schema);
  };
  await inBatches(context, 'quarantine', batches, step, (progress) => {
    schema = progress.schema;
    announceMoved(progress, context.log);
    if (progress.left === 0) announceWayBack(progress.schema.name, commandsFor(context.config), context.log);
  });
}

/**
 * Cleans a corrupted database up to what one transaction can take, which is left to `quarantineLast`: the transaction
 * that migrates begins with it, so that of an ordinary cleanup all or nothing happens.
 */
export async function quarantineAllButLast(context: RecordedBatchContext): Promise<void> {
  const batches = await context.database.read(async (session) =>
    listBatches(session, await quotedApplicationSchema(session), 'out'),
  );
  await quarantineBatches(context, batches.slice(0, -1), corruption);
}

/** What keeps the role from cleaning: what it does not own cannot be moved. */
export async function rightsMissingToClean(database: Database): Promise<readonly MissingRight[]> {
  return database.read(async (session) => rightsMissingToMove(session, await quotedApplicationSchema(session)));
}

/**
 * Moves what `quarantineAllButLast` left, within the transaction that goes on with something else.
 * @returns the name of the schema that holds everything now
 */
export async function quarantineLast(transaction: Transaction, { database, log }: BatchContext): Promise<string> {
  await requireAlone(transaction, database.name);
  const things = await listObjects(transaction, await quotedApplicationSchema(transaction), 'out');
  const progress = await quarantineBatch(transaction, { things, left: 0 }, corruption);
  announceMoved(progress, log);
  return progress.schema.name;
}

/** Nothing is moved while somebody else is connected: what is not known may be in use. */
export async function requireAlone(session: Session, database: string): Promise<void> {
  const { sessions: others } = await findStaying(session);
  if (others.length === 0) return;
  throw new Failure({ kind: 'quarantine-refused', database, obstacle: { kind: 'others-are-connected', others } });
}

/** Names each thing that was moved. */
function announceMoved({ schema, home, done, left, functions }: Progress, log: Log): void {
  for (const { thing, rows } of done) {
    const details = { quarantine: schema.name, name: thing.name, rows };
    log.info(quarantineMessages.moved(thing.kind, thing.quoted, schema.name, rows), details);
  }
  if (left > 0 || functions === 0) return;
  log.info(quarantineMessages.functionsStay(functions, home));
}
