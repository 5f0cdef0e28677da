import type { Row } from '../../model/engine.ts';
import type pg from 'pg';
import { hasCode } from '../../errors/error-code.ts';
import type { CommitOutcome } from '../database.ts';
import { optionalText } from '../row-values.ts';
import { pauseBeforeAttempt, sleep } from '../backoff.ts';
import { closeClient } from './connect.ts';
import { isConnectionLoss } from './connection-failure.ts';

/** How often to query the server about a transaction that is still in progress. */
const mostQueries = 20;
const invalidParameter = '22023';

/** How to determine the outcome of a COMMIT whose answer was lost. */
export interface CommitOptions {
  /** Opens another connection to the same database. */
  readonly reconnect: () => Promise<pg.Client>;
  readonly signal: AbortSignal;
  /** Called for a writing transaction after its commit, or when its outcome cannot be determined. */
  readonly onCommit: (outcome: CommitOutcome) => void;
}

/**
 * Commits the open transaction. If the connection breaks before the answer, queries the server over another connection
 * for the status of the transaction (PostgreSQL manual, "Transaction ID and Snapshot Information Functions").
 * @throws Error if the transaction was not committed, or if the connection broke. Then `onCommit` was called before,
 *   unless the transaction wrote nothing or was aborted
 */
export async function commit(client: pg.Client, options: CommitOptions): Promise<void> {
  const { rows } = await client.query<Row>('SELECT pg_current_xact_id_if_assigned()::text AS id');
  const transaction = rows[0] === undefined ? null : optionalText(rows[0], 'id');
  try {
    const { command } = await client.query('COMMIT');
    // after a failed statement the server answers COMMIT with ROLLBACK
    if (command !== 'COMMIT') throw new Error(`the server answered COMMIT with ${command}: nothing was committed`);
  } catch (error) {
    if (transaction !== null && isConnectionLoss(error)) {
      const outcome = await queryOutcome(transaction, options).catch(() => 'unknown' as const);
      if (outcome !== 'aborted') options.onCommit(outcome);
    }
    throw error;
  }
  if (transaction !== null) options.onCommit('committed');
}

async function queryOutcome(
  transaction: string,
  { reconnect, signal }: CommitOptions,
): Promise<CommitOutcome | 'aborted'> {
  const client = await reconnect();
  try {
    for (let attempt = 1; attempt <= mostQueries; attempt++) {
      const { rows } = await client.query<Row>('SELECT pg_xact_status($1::xid8) AS status', [transaction]);
      const status = rows[0] === undefined ? null : optionalText(rows[0], 'status');
      if (status === 'committed' || status === 'aborted') return status;
      if (status === null) return 'unknown';
      await sleep(pauseBeforeAttempt(attempt), signal);
    }
    return 'unknown';
  } catch (error) {
    // "transaction ID is in the future": the server crashed and restarted, and nothing of the transaction was written
    if (hasCode(error, invalidParameter)) return 'aborted';
    throw error;
  } finally {
    await closeClient(client);
  }
}
