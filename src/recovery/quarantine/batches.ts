import type { Database, MissingRight, Transaction } from '../../database/database.ts';
import { listOtherSessions } from '../../database/postgres/inspect.ts';
import type { Session } from '../../database/session.ts';
import { Failure } from '../../failure.ts';
import type { Log } from '../../report/log.ts';
import { count } from '../../report/numbers.ts';
import { cleanup, home, isLastBatch, type Progress, quarantineSome } from './move.ts';
import { rightsMissingToMove } from './things.ts';

/** What batches are carried out with. */
export interface BatchContext {
  readonly database: Database;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Runs `step` in one committed transaction after the other until nothing is left. */
export async function inBatches(
  { database, signal }: BatchContext,
  step: (transaction: Transaction) => Promise<Progress>,
  announce: (progress: Progress) => void,
): Promise<void> {
  for (let left = Infinity; left > 0;) {
    signal.throwIfAborted();
    const progress = await database.transaction(step);
    announce(progress);
    left = progress.left;
  }
}

/**
 * Cleans a corrupted database up to what one transaction can take, which is left to `quarantineLast`: the transaction
 * that migrates begins with it, so that of an ordinary cleanup all or nothing happens.
 * @throws Failure `quarantine-refused`, when somebody has connected since; the next run goes on
 */
export async function quarantineAllButLast({ database, log, signal }: BatchContext): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const progress = await database.transaction(async (transaction) => {
      if (await isLastBatch(transaction, cleanup)) return null;
      await requireAlone(transaction, database.name);
      return quarantineSome(transaction, cleanup);
    });
    if (progress === null) return;
    announceQuarantined(progress, log);
  }
}

/** What keeps the role from cleaning: what it does not own cannot be moved. */
export async function rightsMissingToClean(database: Database): Promise<readonly MissingRight[]> {
  return database.read((session) => rightsMissingToMove(session, home));
}

/** Moves what `quarantineAllButLast` left, within the transaction that goes on with something else. */
export async function quarantineLast(transaction: Transaction, { database, log }: BatchContext): Promise<void> {
  await requireAlone(transaction, database.name);
  announceQuarantined(await quarantineSome(transaction, cleanup), log);
}

/** Nothing is moved while somebody else is connected: what is not known may be in use. */
export async function requireAlone(session: Session, database: string): Promise<void> {
  const others = await listOtherSessions(session);
  if (others.length === 0) return;
  throw new Failure({ kind: 'quarantine-refused', database, obstacle: { kind: 'others-are-connected', others } });
}

/** Names each thing that was moved, and at the end the way back. */
export function announceQuarantined({ schema, done, left, functions }: Progress, log: Log): void {
  for (const { thing, rows } of done) {
    const size = rows === null ? '' : ` (${count(rows, 'row')})`;
    const details = { quarantine: schema, name: thing.name, rows };
    log.info(`  moved ${thing.kind.toLowerCase()} ${thing.quoted} to ${schema}${size}`, details);
  }
  if (left > 0) return;
  if (functions > 0) log.info(`  ${count(functions, 'function')} stayed in schema public: they are in nobody's way.`);
  log.info('Nothing was dropped. To take it back:');
  log.info(`  docker compose run --rm db-init quarantine restore ${schema}`, { quarantine: schema });
}
