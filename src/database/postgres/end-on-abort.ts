import type { Row } from '../../model/engine.ts';
import type pg from 'pg';
import type { PostgresTarget } from '../../config/config.ts';
import { sleepUntilAborted } from '../backoff.ts';
import { closeClient, connectOnce, noAnswer } from './connect.ts';

/** The time limit, in seconds, to connect for a cancellation, and for each answer; `docker stop` allows ten. */
const graceSeconds = 3;

interface SessionToStop {
  readonly target: PostgresTarget;
  readonly applicationName: string;
  readonly backendPid: number;
  /** Whether to cancel the running statement. If not, the handler waits for its end, as long as the server answers. */
  readonly cancels: boolean;
}

/**
 * Ends the work of a connection when `signal` is aborted, even if its socket hangs. The statement is cancelled over
 * another connection. If that connection fails, or if the session is idle but its answer never arrived, the socket is
 * closed, and the server rolls back when it notices.
 * @returns a function that removes this handler; call it when the work has ended
 */
export function endOnAbort(client: pg.Client, stopping: SessionToStop, signal: AbortSignal): () => void {
  const over = new AbortController();
  const stop = async (): Promise<void> => {
    const reason = await stopStatement(client, stopping, over.signal).catch(() => noAnswer(graceSeconds));
    if (reason !== null && !over.signal.aborted) client.connection.stream.destroy(reason);
  };
  const onAbort = (): void => void stop();
  signal.addEventListener('abort', onAbort, { once: true });
  return () => {
    over.abort();
    signal.removeEventListener('abort', onAbort);
  };
}

/** Stops the statement of a session. @returns the reason why no answer will come; null if the work has ended */
async function stopStatement(
  client: pg.Client,
  { target, applicationName, backendPid, cancels }: SessionToStop,
  over: AbortSignal,
): Promise<Error | null> {
  const other = await connectOnce(target, applicationName, graceSeconds);
  const giveUp = setTimeout(() => other.connection.stream.destroy(noAnswer(graceSeconds)), graceSeconds * 1000);
  try {
    if (cancels) await other.query('SELECT pg_cancel_backend($1)', [backendPid]);
    for (let idle = 0; idle < 2;) {
      giveUp.refresh();
      const { rows } = await other.query<Row>(`SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND state = 'active'`, [
        backendPid,
      ]);
      // the loop waits for a statement that cannot be cancelled (COMMIT)
      idle = rows.length > 0 || !isBusy(client) ? 0 : idle + 1;
      await sleepUntilAborted(1000, over);
      if (over.aborted) return null;
    }
    return noAnswer(graceSeconds);
  } finally {
    clearTimeout(giveUp);
    await closeClient(other);
  }
}

/** Whether a client waits for an answer. The types of `pg` lack the property. */
function isBusy(client: pg.Client): boolean {
  return Reflect.get(client, 'readyForQuery') === false;
}
