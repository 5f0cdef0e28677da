import pg from 'pg';
import { withClient } from './database.ts';
import { unzipped } from './fixtures.ts';

type Step =
  | { readonly kind: 'sql'; readonly sql: string }
  | { readonly kind: 'copy'; readonly sql: string; readonly data: string };

/** What the driver hands to a query that the server asks for COPY data; its type declarations leave this out. */
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

/** Splits a dump at its COPY blocks; psql's own commands (`\restrict`) are left out. */
export function splitDump(dump: string): Step[] {
  const steps: Step[] = [];
  // Lazy up to the line `\.`, which inside the data is always escaped.
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
    // The driver's own answer to the server's "send the data" is a refusal.
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
