import pg from 'pg';
import { readConfig } from '../src/config/config.ts';
import type { Database } from '../src/database/database.ts';
import { openDatabase } from '../src/database/open.ts';

/** How to open a database: the caller, and whether it may be written. */
export interface Opening {
  readonly applicationName: string;
  readonly writes?: boolean;
  readonly signal?: AbortSignal;
}

/** Opens a database without logging, passes it to `use`, and always closes it. */
export async function withDatabase<Result>(
  url: string,
  { applicationName, writes = true, signal = new AbortController().signal }: Opening,
  use: (database: Database) => Promise<Result>,
): Promise<Result> {
  const config = readConfig({ DATABASE_URL: url }, '/');
  const ignore = (): void => undefined;
  const database = await openDatabase(config.database, {
    ...config,
    applicationName,
    writes,
    signal,
    onWaiting: ignore,
    onLockWaiting: ignore,
    onRetry: ignore,
    onWarning: ignore,
  });
  try {
    return await use(database);
  } finally {
    await database.close();
  }
}

/** Runs SQL on a PostgreSQL database, over a connection of its own. @returns the first value; empty without one */
export async function queryValue(url: string, sql: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<string[]>({ text: sql, rowMode: 'array' });
    return rows[0]?.[0] ?? '';
  } finally {
    await client.end();
  }
}
