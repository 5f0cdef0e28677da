import { dumpReasons } from '../../../report/dump-reasons.ts';
import { isDumpHeader, readHeaderBytes, oldestReader, parseDumpHeader } from './header.ts';
import { type RestorerResult, missingReader } from './restorer.ts';
import { readDump, readToc } from './pg-restore.ts';
import { constants, isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { reasonOf } from '../../../errors/failure.ts';
import type { ArchiveFault, ArchiveObject } from '../../../errors/obstacles.ts';
import { versionTable } from '../../../model/catalog.ts';
import {
  CutOffDump,
  filterPlainDump,
  filterScript,
  requireEnd,
  type ScriptListener,
  TooMuchData,
} from './script-filter.ts';
import { unchangedSettings } from './script-settings.ts';
import { findTools, newest } from '../client-tools.ts';
import { type AllowedNames, namesForDatabase } from './statement-cursor.ts';
import {
  isOptional,
  isTableData,
  schemaOf,
  schemaWithMostCoreTables,
  type ScriptObject,
  warningsOfScript,
  withoutOptional,
} from './toc.ts';

export interface DumpTable {
  readonly schema: string;
  readonly name: string;
  /** In the order of the values in a row. `type`: as PostgreSQL prints it, `text` for an enum; null if unknown. */
  readonly columns: readonly { readonly name: string; readonly type: string | null }[];
  readonly rows: number;
}

/** A value as PostgreSQL prints it; a Buffer if its bytes are invalid in the encoding of the dump. */
export type DumpValue = string | Buffer | null;

/** Reads the rows of a dump without a server. No SQL of the dump is executed. */
export interface DumpReader {
  /** The schema that holds the application's tables. */
  readonly schema: string;
  readonly tables: readonly DumpTable[];
  /** The rows of alembic_version; null if there is no such table. */
  readonly revisions: readonly string[] | null;
  /** Bytes of all rows, as text. */
  readonly bytes: number;
  /** Objects in the dump that TimeTracker does not create; only in a trusted dump. */
  readonly unknownObjects: readonly ArchiveObject[];
  /** What is left out without being asked for, in sentences without a full stop. */
  readonly warnings: readonly string[];
  /** Reads all rows, in the order of the dump. @throws Error with the message of pg_restore, or what `onRow` throws */
  read(onRow: (table: DumpTable, row: readonly DumpValue[]) => void): Promise<void>;
}

/** How a dump is checked while it is read. */
export interface DumpReaderOptions {
  /** Whether the owner trusts the dump: unknown statements are then skipped instead of refused. */
  readonly trusted: boolean;
  /** The largest number of bytes of rows; does not apply to a trusted dump. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/** Why a dump cannot be read; `invalid`: it is incomplete. */
export type Unreadable =
  Exclude<RestorerResult, { readonly kind: 'ready' }> | Extract<ArchiveFault, { readonly kind: 'invalid' }>;

interface DumpScript {
  /** The schema that holds the application's tables. */
  readonly schema: string;
  readonly warnings: readonly string[];
  /** Filters the SQL and passes it to the listener. @returns the objects that TimeTracker does not create */
  filter(
    listener: ScriptListener,
    allowed: AllowedNames,
    only: 'everything' | 'rows',
  ): Promise<readonly ArchiveObject[]>;
}

/**
 * Reads a dump in PostgreSQL's custom format, or in plain SQL, to its end, and lists its contents.
 * @param dump its path; while it is read, a file with the list of entries is written beside it
 */
export async function openDumpReader(
  dump: string,
  { trusted, maxBytes: limit, signal }: DumpReaderOptions,
): Promise<{ readonly kind: 'ready'; readonly reader: DumpReader } | Unreadable> {
  const limits = { maxBytes: trusted ? Infinity : limit, signal };
  try {
    const isPlain = !isDumpHeader(await readHeaderBytes(dump));
    const script = isPlain ? await openPlainDump(dump, limits) : await openCustomDump(dump, limits);
    if ('kind' in script) return script;
    const allowed = namesForDatabase(script.schema);
    const contents = listContents(script.schema, allowed);
    const unknownObjects = await script.filter(contents.listener, allowed, 'everything');
    if (unknownObjects.length > 0 && !trusted) return { kind: 'unknown-objects', objects: unknownObjects };
    return { kind: 'ready', reader: readerOf(script, contents, { allowed, unknownObjects }) };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof TooMuchData) return { kind: 'too-much-data' };
    if (error instanceof CutOffDump) {
      return { kind: 'invalid', defect: { kind: 'cut-off', table: error.table } };
    }
    return { kind: 'unusable', reason: { kind: 'dump', message: reasonOf(error) } };
  }
}

function readerOf(
  script: DumpScript,
  contents: ReturnType<typeof listContents>,
  { allowed, unknownObjects }: { readonly allowed: AllowedNames; readonly unknownObjects: readonly ArchiveObject[] },
): DumpReader {
  const tables = contents.tables();
  return {
    schema: script.schema,
    tables: [...tables.values()],
    revisions: contents.revisions(),
    bytes: contents.bytes(),
    unknownObjects,
    warnings: script.warnings,
    async read(onRow) {
      const listener = rowListener((object) => {
        const table = tables.get(object);
        return table === undefined ? null : (row) => onRow(table, row);
      });
      await script.filter(listener, allowed, 'rows');
    },
  };
}

type Limits = Pick<DumpReaderOptions, 'maxBytes' | 'signal'>;

/** @throws Error if it cannot be read */
async function openCustomDump(dump: string, { maxBytes, signal }: Limits): Promise<DumpScript | Unreadable> {
  const parsed = parseDumpHeader(await readHeaderBytes(dump));
  if (parsed.kind === 'damaged') {
    return { kind: 'unusable', reason: { kind: 'dump-header', defect: parsed.defect } };
  }
  const tools = await findTools('pg_restore');
  const restore = newest(tools);
  if (restore === null || restore.major < oldestReader(parsed.header)) {
    return { kind: 'no-tool', tool: missingReader(parsed.header, tools) };
  }
  const toc = await readToc(restore, dump, signal);
  if (typeof toc === 'string') throw new Error(toc);
  const { entries, warnings } = withoutOptional(toc);
  return {
    schema: schemaOf(entries),
    warnings,
    async filter(listener, allowed, only) {
      const options = { settings: unchangedSettings, onUnknown: 'collect', maxBytes, allowed, listener } as const;
      const { stream, summary } = filterScript(options);
      const wanted = only === 'rows' ? entries.filter(isTableData) : entries;
      await readDump({ dump, restore, entries: wanted, signal }, stream);
      return summary.unknown;
    },
  };
}

/** Opens a dump in plain SQL, which has the lines that pg_restore writes. Its schema is known only after reading it. */
async function openPlainDump(dump: string, { maxBytes, signal }: Limits): Promise<DumpScript> {
  let unknown: readonly ScriptObject[] = [];
  const filter: DumpScript['filter'] = async (listener, allowed) => {
    const { stream, summary } = filterPlainDump({ maxBytes, allowed, listener });
    stream.resume();
    await pipeline(createReadStream(dump), stream, { signal });
    requireEnd(summary);
    ({ unknown } = summary);
    return unknown.filter((object) => !isOptional(object));
  };
  const tables: { readonly schema: string; readonly name: string }[] = [];
  const ignore = (): void => undefined;
  const statement: ScriptListener['statement'] = (each) => {
    if (each.kind !== 'create-table') return;
    const [schema, name] = splitName(each.object);
    tables.push({ schema, name });
  };
  await filter({ statement, rows: ignore, end: ignore }, namesForDatabase(), 'everything');
  return { schema: schemaWithMostCoreTables(tables), warnings: warningsOfScript(unknown), filter };
}

/** A listener that collects the tables of a dump, their numbers of rows, and the revisions. */
function listContents(schema: string, { enums }: AllowedNames) {
  const types = new Map<string, ReadonlyMap<string, string>>();
  const found = new Map<string, DumpTable>();
  let revisions: string[] | null = null;
  const describeColumns = (object: string, names: readonly string[]): DumpTable['columns'] =>
    names.map((name) => {
      const type = types.get(object)?.get(name) ?? null;
      return { name: nameIn(name), type: type !== null && enums.has(type) ? 'text' : type };
    });
  const note = (object: string, names: readonly string[], rows: number): void => {
    const [inSchema, name] = splitName(object);
    const columns = describeColumns(object, names);
    const before = found.get(object);
    // pg_dump writes the rows of a table once
    if (
      (before?.rows ?? 0) > 0 &&
      before?.columns.map((each) => each.name).join() !== columns.map((each) => each.name).join()
    ) {
      throw new Error(`it holds the rows of ${object} twice, with other columns`);
    }
    found.set(object, { schema: inSchema, name, columns, rows: rows + (before?.rows ?? 0) });
  };
  const versions = rowListener((object) => {
    const [inSchema, name] = splitName(object);
    return inSchema === schema && name === versionTable ? (row) => (revisions ??= []).push(String(row[0])) : null;
  });
  let current: { readonly object: string; readonly columns: readonly string[] } | null = null;
  let lines = 0;
  let total = 0;
  const listener: ScriptListener = {
    statement(statement) {
      versions.statement(statement);
      if (statement.kind === 'create-table') {
        const { object, columns } = statement;
        types.set(object, new Map(columns.map(({ name, type }) => [name, type])));
        const [inSchema, name] = splitName(object);
        if (inSchema === schema && name === versionTable) revisions ??= [];
        note(
          object,
          columns.map((column) => column.name),
          0,
        );
      }
      if (statement.kind === 'copy') [current, lines] = [statement, 0];
    },
    rows(bytes) {
      versions.rows(bytes);
      total += bytes.length;
      for (let at = bytes.indexOf(lineFeed); at >= 0; at = bytes.indexOf(lineFeed, at + 1)) lines++;
    },
    end() {
      versions.end();
      // the first line feed belongs to the COPY line
      if (current === null) return;
      const { object, columns } = current;
      note(object, columns.length > 0 ? columns : [...(types.get(object)?.keys() ?? [])], lines - 1);
    },
  };
  return { listener, tables: () => found, revisions: () => revisions, bytes: () => total };
}

const lineFeed = 0x0a;

/** The largest number of bytes of a row that fits into a string, with a reserve for characters that printing adds. */
const longestRow = constants.MAX_STRING_LENGTH - 1024 * 1024;

type OnRow = (row: readonly DumpValue[]) => void;

/** A listener that splits rows into values. @param choose the callback for a table, named as in SQL; null to skip it */
export function rowListener(choose: (object: string) => OnRow | null, longest = longestRow): ScriptListener {
  let decode = decoderOf('UTF8');
  let onRow: OnRow | null = null;
  let pieces: Buffer[] = [];
  let held = 0;
  let begun = false;
  let table = '';
  const hold = (piece: Buffer): void => {
    held += piece.length;
    if (held > longest) {
      throw new Error(dumpReasons.largeRow(table, longest));
    }
    pieces.push(piece);
  };
  return {
    statement(statement) {
      if (statement.kind === 'encoding') decode = decoderOf(statement.encoding);
      if (statement.kind !== 'copy') return;
      onRow = choose(statement.object);
      [table, pieces, held, begun] = [statement.object, [], 0, false];
    },
    rows(given) {
      if (onRow === null) return;
      const bytes = begun ? given : given.subarray(1);
      begun = true;
      const end = bytes.lastIndexOf(lineFeed);
      if (end < 0) return hold(bytes);
      const whole = bytes.subarray(0, end);
      splitRows(pieces.length === 0 ? whole : Buffer.concat([...pieces, whole]), decode, onRow);
      [pieces, held] = [[], 0];
      hold(bytes.subarray(end + 1));
    },
    end() {
      onRow = null;
    },
  };
}

/** @returns null if the bytes are invalid in the encoding */
type Decode = (bytes: Buffer) => string | null;

function splitRows(bytes: Buffer, decode: Decode, onRow: OnRow): void {
  const text = decode(bytes);
  if (text !== null) {
    for (const line of text.split('\n')) onRow(line.split('\t').map(valueOf));
    return;
  }
  for (const line of bytes.toString('latin1').split('\n')) {
    onRow(
      line.split('\t').map((field) => {
        const value = valueOf(field);
        if (value === null) return null;
        const raw = Buffer.from(value, 'latin1');
        return decode(raw) ?? raw;
      }),
    );
  }
}

const escapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** Reads a value in COPY's text format (manual, "COPY"). @throws Error for an escape that `COPY TO` never writes */
function valueOf(field: string): string | null {
  if (field === String.raw`\N`) return null;
  if (!field.includes('\\')) return field;
  return field.replaceAll(/\\([^]?)/g, (_, sign: string) => {
    if (sign === '' || /[\dx.N]/.test(sign)) throw new Error(dumpReasons.unknownEscape(sign));
    return escapes[sign] ?? sign;
  });
}

/** PostgreSQL's encodings with their labels for TextDecoder (WHATWG, "Encoding"). */
const encodings: Readonly<Record<string, string>> = {
  LATIN2: 'iso-8859-2',
  LATIN3: 'iso-8859-3',
  LATIN4: 'iso-8859-4',
  LATIN6: 'iso-8859-10',
  LATIN7: 'iso-8859-13',
  LATIN8: 'iso-8859-14',
  LATIN9: 'iso-8859-15',
  LATIN10: 'iso-8859-16',
  ISO_8859_5: 'iso-8859-5',
  ISO_8859_6: 'iso-8859-6',
  ISO_8859_7: 'iso-8859-7',
  ISO_8859_8: 'iso-8859-8',
  WIN866: 'ibm866',
  KOI8R: 'koi8-r',
  KOI8U: 'koi8-u',
  EUC_JP: 'euc-jp',
  EUC_KR: 'euc-kr',
};

function decoderOf(encoding: string): Decode {
  if (encoding === 'UTF8' || encoding === 'SQL_ASCII')
    return (bytes) => (isUtf8(bytes) ? bytes.toString('utf8') : null);
  if (encoding === 'LATIN1') return (bytes) => bytes.toString('latin1');
  const label = /^WIN(?:874|125\d)$/.test(encoding) ? `windows-${encoding.slice(3)}` : encodings[encoding];
  if (label === undefined) throw new Error(dumpReasons.unknownEncoding(encoding));
  const decoder = new TextDecoder(label, { fatal: true });
  return (bytes) => {
    try {
      return decoder.decode(bytes);
    } catch {
      return null;
    }
  };
}

/** Splits a qualified name, as written in SQL, into its schema and its own name. */
function splitName(object: string): readonly [schema: string, name: string] {
  const [, schema = '', name = ''] = /^("(?:[^"]|"")*"|[^."]+)\.([^]*)$/.exec(object) ?? [];
  return [nameIn(schema), nameIn(name)];
}

/** A name without its quotes. The script was read as latin1, one character per byte. */
function nameIn(written: string): string {
  const name = written.startsWith('"') ? written.slice(1, -1).replaceAll('""', '"') : written;
  return Buffer.from(name, 'latin1').toString('utf8');
}
