import pg from 'pg';
import { withClient } from './database.ts';
import { unzipped } from './fixtures.ts';

type Step =
  | { readonly kind: 'sql'; readonly sql: string }
  | { readonly kind: 'copy'; readonly sql: string; readonly data: string };

/** The object that the driver passes to a query whose server asks for COPY data. The type declarations of `pg` lack it. */
interface CopyTarget {
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}

/**
 * Loads a gzipped dump in plain SQL, as pg_dump writes it, into a PostgreSQL database.
 * @throws DatabaseError of the first statement that fails
 */
export async function restoreSql(url: string, path: string): Promise<void> {
  const steps = splitDump(await unzipped(path));
  await withClient(url, async (client) => {
    for (const step of steps) {
      if (step.kind === 'sql') await client.query(step.sql);
      else await copyIn(client, step.sql, step.data);
    }
  });
}

/** Splits a dump at its COPY blocks, and leaves out the commands of psql (`\restrict`). */
export function splitDump(dump: string): Step[] {
  const steps: Step[] = [];
  // lazy up to the line `\.`, because the data contains that line only in its escaped form
  const block = /^(COPY .* FROM stdin;)\n((?:.*\n)*?)\\\.$/gm;
  let end = 0;
  for (const match of dump.matchAll(block)) {
    steps.push({ kind: 'sql', sql: withoutPsqlCommands(dump.slice(end, match.index)) });
    steps.push({ kind: 'copy', sql: match[1] ?? '', data: match[2] ?? '' });
    end = match.index + match[0].length;
  }
  steps.push({ kind: 'sql', sql: withoutPsqlCommands(dump.slice(end)) });
  return steps;
}

function withoutPsqlCommands(sql: string): string {
  return sql.replaceAll(/^\\(?:un)?restrict .*$/gm, '');
}

function copyIn(client: pg.Client, sql: string, data: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const query = new pg.Query(sql);
    // by default, the driver refuses the server's request for data
    Object.assign(query, {
      handleCopyInResponse(connection: CopyTarget) {
        connection.sendCopyFromChunk(Buffer.from(data));
        connection.endCopyFrom();
      },
    });
    query.on('error', reject);
    query.on('end', () => resolve());
    client.query(query);
  });
}
