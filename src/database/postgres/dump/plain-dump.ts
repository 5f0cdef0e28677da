import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { ArchiveObject } from '../../../errors/obstacles.ts';
import { filterPlainDump, requireEnd, type ScriptListener } from './script-filter.ts';
import { type AllowedNames, namesForDatabase } from './statement-cursor.ts';
import { schemaWithMostCoreTables } from './toc.ts';

/** The SQL of a dump, which is read without a server. */
export interface DumpScript {
  /** The schema that holds the application's tables. */
  readonly schema: string;
  /** Filters the SQL and passes it to the listener. @returns the objects that TimeTracker does not create */
  filter(
    listener: ScriptListener,
    allowed: AllowedNames,
    only: 'everything' | 'rows',
  ): Promise<readonly ArchiveObject[]>;
}

/**
 * Opens a dump in plain SQL, which has the lines that pg_restore writes. Its schema is known only after reading it.
 * @throws DamagedDump, TooMuchData, or Error
 */
export async function openPlainDump(
  dump: string,
  { maxBytes, signal }: { readonly maxBytes: number; readonly signal: AbortSignal },
): Promise<DumpScript> {
  const filter: DumpScript['filter'] = async (listener, allowed) => {
    const { stream, summary } = filterPlainDump({ maxBytes, allowed, listener });
    stream.resume();
    await pipeline(createReadStream(dump), stream, { signal });
    requireEnd(summary);
    return summary.unknown;
  };
  const tables: { readonly schema: string; readonly name: string }[] = [];
  const statement: ScriptListener['statement'] = (each) => {
    if (each.kind !== 'create-table') return;
    const [schema, name] = splitName(each.object);
    tables.push({ schema, name });
  };
  await filter({ ...ignoring, statement }, namesForDatabase(), 'everything');
  return { schema: schemaWithMostCoreTables(tables), filter };
}

const ignore = (): void => undefined;
export const ignoring: ScriptListener = { statement: ignore, rows: ignore, end: ignore };

/** Splits a qualified name, as written in SQL, into its schema and its own name. */
export function splitName(object: string): readonly [schema: string, name: string] {
  const [, schema = '', name = ''] = /^("(?:[^"]|"")*"|[^."]+)\.([^]*)$/.exec(object) ?? [];
  return [nameIn(schema), nameIn(name)];
}

/** A name without its quotes. The script was read as latin1, one character per byte. */
export function nameIn(written: string): string {
  const name = written.startsWith('"') ? written.slice(1, -1).replaceAll('""', '"') : written;
  return Buffer.from(name, 'latin1').toString('utf8');
}
