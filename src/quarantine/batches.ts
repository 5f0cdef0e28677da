import type { MissingRight } from '../model/database-facts.ts';
import type { Database, Transaction } from '../database/database.ts';
import { findRemainingWriters } from '../database/postgres/other-sessions.ts';
import type { Session } from '../database/session.ts';
import { Failure } from '../errors/failure.ts';
import { commandsFor, type CommandSettings } from '../report/commands.ts';
import type { Log } from '../report/log.ts';
import { announceWayBack, quarantineMessages } from '../report/quarantine-messages.ts';
import type { Recorder } from '../report/run-record.ts';
import type { QuarantineStep } from './entry.ts';
import type { QuarantineSchema } from './label.ts';
import { quotedApplicationSchema, type Progress, quarantineBatch } from './move.ts';
import { type Batch, listBatches, listObjects, rightsMissingToMove } from './objects.ts';

/** The reason in the label for a corrupted database. */
const corruption = 'tables were there, but neither alembic_version nor any core table';

/** What batches need, and the callback for each committed batch. */
export interface RecordedBatchContext extends BatchContext {
  readonly recorder: Recorder;
}

export interface BatchContext {
  readonly database: Database;
  readonly config: CommandSettings;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Runs `step` in one committed transaction for each batch. */
export async function inBatches(
  { database, signal, recorder }: RecordedBatchContext,
  kind: QuarantineStep,
  batches: readonly Batch[],
  step: (transaction: Transaction, batch: Batch) => Promise<Progress>,
  announce: (progress: Progress) => void,
): Promise<void> {
  for (const batch of batches) {
    signal.throwIfAborted();
    const progress = await database.transaction(async (transaction) => {
      recorder.attempt();
      const done = await step(transaction, batch);
      recorder.step({ kind, schema: done.schema.name, relations: done.done.map(({ object }) => object.name) });
      return done;
    });
    announce(progress);
  }
}

/**
 * Puts batches of the application's schema aside.
 * @throws Failure `quarantine-refused`, if another session has connected since; the next run continues
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
 * Cleans a corrupted database, except for one last batch that one transaction can hold. That batch is left to
 * `quarantineLast`, at the beginning of the migrating transaction, so that an ordinary cleanup happens as a whole or
 * not at all.
 */
export async function quarantineAllButLast(context: RecordedBatchContext): Promise<void> {
  const batches = await context.database.read(async (session) =>
    listBatches(session, await quotedApplicationSchema(session), 'out'),
  );
  await quarantineBatches(context, batches.slice(0, -1), corruption);
}

/** The rights that the role lacks for cleaning: it can only move objects that it owns. */
export async function rightsMissingToClean(database: Database): Promise<readonly MissingRight[]> {
  return database.read(async (session) => rightsMissingToMove(session, await quotedApplicationSchema(session)));
}

/**
 * Moves the batch that `quarantineAllButLast` left, within the caller's transaction.
 * @returns the name of the schema that holds everything now
 */
export async function quarantineLast(transaction: Transaction, { database, log }: BatchContext): Promise<string> {
  await requireAlone(transaction, database.name);
  const objects = await listObjects(transaction, await quotedApplicationSchema(transaction), 'out');
  const progress = await quarantineBatch(transaction, { objects, left: 0 }, corruption);
  announceMoved(progress, log);
  return progress.schema.name;
}

/** Refuses while other sessions are connected: they may use these objects. @throws Failure `quarantine-refused` */
export async function requireAlone(session: Session, database: string): Promise<void> {
  const { sessions: others } = await findRemainingWriters(session);
  if (others.length === 0) return;
  throw new Failure({ kind: 'quarantine-refused', database, obstacle: { kind: 'others-are-connected', others } });
}

function announceMoved({ schema, applicationSchema, done, left, functions }: Progress, log: Log): void {
  for (const { object, rows } of done) {
    const details = { quarantine: schema.name, name: object.name, rows };
    log.info(quarantineMessages.moved(object.kind, object.quoted, schema.name, rows), details);
  }
  if (left > 0 || functions === 0) return;
  log.info(quarantineMessages.functionsStay(functions, applicationSchema));
}
