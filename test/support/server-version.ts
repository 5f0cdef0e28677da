import { setTimeout } from 'node:timers/promises';
import pg from 'pg';

/**
 * Asks a PostgreSQL server for its version, and repeats the question until it answers.
 * @param timeout milliseconds
 * @returns for example `16.4`
 * @throws the last connection error after the timeout
 */
export async function serverVersion(url: string, timeout: number): Promise<string> {
  const deadline = Date.now() + timeout;
  for (;;) {
    const client = new pg.Client({ connectionString: url });
    // a starting server may end a session: without a listener, the event would end the whole test run
    client.on('error', () => undefined);
    try {
      await client.connect();
      const { rows } = await client.query<{ version: string }>("SELECT current_setting('server_version') AS version");
      return rows[0]?.version.split(' ')[0] ?? '';
    } catch (error) {
      if (Date.now() > deadline) throw error;
    } finally {
      await client.end().catch(() => undefined);
    }
    await setTimeout(50);
  }
}
