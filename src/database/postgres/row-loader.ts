import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from, to } from 'pg-copy-streams';
import type { PostgresTarget } from '../../config/config.ts';
import { quoteName } from '../../platform/sql-quoting.ts';
import { number, only } from '../row-values.ts';
import type { Session } from '../session.ts';
import { closeClient, connectOnce } from './connect.ts';
import { prepareSession } from './lock.ts';
import { postgresSession } from './session.ts';
import { endOnAbort } from './end-on-abort.ts';

/** A connection in a transaction, over which rows are written and read by COPY (text format). */
export interface RowLoader {
  readonly session: Session;
  /**
   * Appends rows to a table. `options`: those of COPY, in parentheses.
   * @throws DatabaseError at the first refused row
   */
  copyIn(table: string, columns: readonly string[], rows: Readable, options?: string): Promise<void>;
  /** Reads all rows of a table, in physical order. */
  copyOut(table: string, columns: readonly string[], onBytes: (bytes: Buffer) => void): Promise<void>;
}

/** The owner of the created objects, and the signal that cancels the load. */
export interface RowLoaderOptions {
  /** The owner of the created objects; null: the user that connects. */
  readonly role: string | null;
  readonly signal: AbortSignal;
}

/** The time limit, in seconds, to connect; the server has just accepted another connection. */
const connectTimeout = 30;

/** Fixes the format of values: the rows that are read back are compared byte by byte with those that were written. */
const outputSettings = `SET synchronize_seqscans TO off; SET IntervalStyle TO postgres; SET DateStyle TO ISO; SET TimeZone TO UTC;
  SET bytea_output TO hex; SET extra_float_digits TO 1; SET client_encoding TO 'UTF8'`;

/**
 * Runs `work` in one transaction of a separate connection. Its application_name is `db-init load …`, as for every load:
 * the recovery of a killed run ends such sessions first.
 */
export async function withRowLoader<Result>(
  target: PostgresTarget,
  { role, signal }: RowLoaderOptions,
  work: (loader: RowLoader) => Promise<Result>,
): Promise<Result> {
  const applicationName = `db-init load ${randomBytes(6).toString('hex')}`;
  const client = await connectOnce(target, applicationName, connectTimeout, signal);
  const session = postgresSession(client);
  let release = (): void => undefined;
  try {
    const backendPid = number(only(await session.query('SELECT pg_backend_pid() AS pid')), 'pid');
    release = endOnAbort(client, { target, applicationName, backendPid, cancels: true }, signal);
    await prepareSession(client, { lockTimeout: 0, schema: target.schema });
    await session.run(outputSettings);
    if (role !== null) await session.run(`SET ROLE ${quoteName(role)}`);
    await session.run('BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE');
    const result = await work({
      session,
      copyIn: (table, columns, rows, options = '') =>
        pipeline(rows, client.query(from(`COPY ${table} (${list(columns)}) FROM STDIN ${options}`)), { signal }),
      async copyOut(table, columns, onBytes) {
        const rows: AsyncIterable<Buffer> = client.query(to(`COPY ${table} (${list(columns)}) TO STDOUT`));
        for await (const bytes of rows) onBytes(bytes);
      },
    });
    signal.throwIfAborted();
    await session.run('COMMIT');
    return result;
  } finally {
    release();
    await closeClient(client);
  }
}

const list = (columns: readonly string[]): string => columns.map(quoteName).join(', ');
