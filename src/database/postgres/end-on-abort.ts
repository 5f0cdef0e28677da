import type { Row } from '../../model/engine.ts';
import type pg from 'pg';
import type { PostgresTarget } from '../../config/config.ts';
import { briefly } from '../backoff.ts';
import { closeClient, connectOnce, noAnswer } from './connect.ts';

/** Seconds that a server may take to let us in to cancel a statement; `docker stop` waits for ten in all. */
const graceMilliseconds = 3;

/** What is being stopped. */
interface Stopping {
  readonly target: PostgresTarget;
  readonly applicationName: string;
  readonly backendPid: number;
  /** Whether the running statement is cancelled; what does not stop in the middle is only not waited for in silence. */
  readonly cancels: boolean;
}

/**
 * Has the work of a connection end when a run is told to stop, whatever its socket does. Over another connection the
 * statement is cancelled; where the server does not let us in, or has answered and the answer never came, the socket is
 * closed: the server rolls back when it notices.
 * @returns what takes that back when the work is over
 */
export function endOnAbort(client: pg.Client, stopping: Stopping, signal: AbortSignal): () => void {
  const over = new AbortController();
  const stop = async (): Promise<void> => {
    const reason = await stopStatement(client, stopping, over.signal).catch(() => noAnswer(graceMilliseconds));
    if (reason !== null && !over.signal.aborted) client.connection.stream.destroy(reason);
  };
  const onAbort = (): void => void stop();
  signal.addEventListener('abort', onAbort, { once: true });
  return () => {
    over.abort();
    signal.removeEventListener('abort', onAbort);
  };
}

/** @returns why there will be no answer; null if the work has ended by itself */
async function stopStatement(
  client: pg.Client,
  { target, applicationName, backendPid, cancels }: Stopping,
  over: AbortSignal,
): Promise<Error | null> {
  const other = await connectOnce(target, applicationName, graceMilliseconds);
  const giveUp = setTimeout(
    () => other.connection.stream.destroy(noAnswer(graceMilliseconds)),
    graceMilliseconds * 1000,
  );
  try {
    if (cancels) await other.query('SELECT pg_cancel_backend($1)', [backendPid]);
    for (let idle = 0; idle < 2;) {
      giveUp.refresh();
      const { rows } = await other.query<Row>(`SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND state = 'active'`, [
        backendPid,
      ]);
      // a statement that cannot be cancelled (COMMIT) takes its time
      idle = rows.length > 0 || !isBusy(client) ? 0 : idle + 1;
      await briefly(1000, over);
      if (over.aborted) return null;
    }
    return noAnswer(graceMilliseconds);
  } finally {
    clearTimeout(giveUp);
    await closeClient(other);
  }
}

/** Whether a client waits for an answer. The driver knows, and its types do not tell. */
function isBusy(client: pg.Client): boolean {
  return Reflect.get(client, 'readyForQuery') === false;
}
