import { setTimeout } from 'node:timers/promises';
import pg from 'pg';

/**
 * Asks a PostgreSQL server for its version, again and again until it answers.
 * @param timeout milliseconds
 * @returns e.g. `16.4`
 * @throws the last connection error when time is up
 */
export async function serverVersion(url: string, timeout: number): Promise<string> {
  const deadline = Date.now() + timeout;
  for (;;) {
    const client = new pg.Client({ connectionString: url });
    // a server that starts may end a session again: without a listener that would end the whole run of tests
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
