import type { Row, Value } from '../../model/engine.ts';
import type pg from 'pg';
import type { Session } from '../session.ts';

const numbers = new Set([21, 23, 26, 700, 701]);
const boolean = 16;

/** Parses only booleans, and numbers that JavaScript holds exactly; all other values remain the server's text. */
export const textTypes: pg.CustomTypesConfig = {
  getTypeParser: (type: number) => {
    if (type === boolean) return (text: string) => text === 't';
    return numbers.has(type) ? Number : (text: string) => text;
  },
};

/**
 * Runs statements, separated by semicolons, in one round trip.
 * @returns the first row of the last one; empty if it has none
 */
export async function lastRow(client: pg.Client, sql: string): Promise<Row> {
  return lastResult(await client.query<Row>(sql))?.rows[0] ?? {};
}

/** The result of the last statement. For several statements pg returns an array, which is missing in its types. */
function lastResult(answer: pg.QueryResult<Row> | readonly pg.QueryResult<Row>[]): pg.QueryResult<Row> | undefined {
  return [answer].flat().at(-1);
}

/**
 * A session over one connected client, which the caller opens and closes.
 *
 * int2, int4, oid and floats come back as numbers, booleans as booleans, NULL as null, everything else (int8,
 * numeric, dates, times, intervals, JSON, arrays, bytea) as the server's text. Errors are the driver's own
 * `DatabaseError`, with `completed`: the number of statements of the text that succeeded.
 */
export function postgresSession(client: pg.Client): Session {
  const query = async (sql: string, parameters: readonly Value[] = []): Promise<Row[]> => {
    let completed = 0;
    const count = (): void => void (completed += 1);
    // most errors of ALTER TABLE have no position, so the statements that succeeded are counted
    client.connection.on('commandComplete', count);
    try {
      const answer = await client.query<Row>({ text: sql, values: [...parameters], types: textTypes });
      return lastResult(answer)?.rows ?? [];
    } catch (error) {
      throw error instanceof Error ? Object.assign(error, { completed }) : error;
    } finally {
      client.connection.off('commandComplete', count);
    }
  };
  return { engine: 'postgresql', run: async (sql) => void (await query(sql)), query };
}
