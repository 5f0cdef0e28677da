import type { Readable } from 'node:stream';
import type { Engine } from '../model/engine.ts';
import type { ArchiveKind } from '../model/archive.ts';
import type { ManifestDefect } from '../model/archive-defect.ts';
import { type UploadRootName, uploadRootNames } from '../config/config.ts';
import { localTime, timeInName } from '../platform/local-time.ts';

/** The entries that the application's archives have as well. */
export const manifestName = 'manifest.json';
export const settingsName = 'settings.json';
export const databaseEntryNames = { postgresql: 'db.dump', sqlite: 'db.sqlite' } as const satisfies Record<
  Engine,
  string
>;

/** A written entry. */
export interface ListedEntry {
  /** Bytes before compression. */
  readonly size: number;
  /** In hexadecimal digits. */
  readonly sha256: string;
}

/** The manifest of an archive of db-init. */
export interface Manifest {
  readonly engine: Engine;
  readonly kind: ArchiveKind;
  readonly createdAt: Date;
  /** The version of db-init. */
  readonly version: string;
  /** The name of the database for people; it holds no secret. */
  readonly database: string;
  /** `PostgreSQL 16.4`, `SQLite 3.50.1` */
  readonly server: string;
  /** The tool that made the copy: `pg_dump 16`. */
  readonly tool: string;
  /** All rows of alembic_version. */
  readonly revisions: readonly string[];
  /** The number of rows of each table, counted in the snapshot of the copy. */
  readonly rows: Readonly<Record<string, number>>;
  /**
   * Every entry except the manifest. If the manifest was read from an archive or is being written, the uploads are
   * missing here.
   */
  readonly entries: Readonly<Record<string, ListedEntry>>;
  /** The folders of uploads in the archive. A safety backup has none: migrations do not touch them. */
  readonly uploads: readonly UploadRootName[];
  /** A hash of the copy without its time: equal for two copies only if the database held the same. */
  readonly content?: string;
  /** Whether the database had every core table of its revisions. */
  readonly healthy?: boolean;
}

/**
 * The text of manifest.json: the four keys that the application writes, and db-init's own data under `db_init`. That
 * key identifies archives of db-init.
 */
export function renderManifest({ engine, createdAt, revisions, entries: members, ...ours }: Manifest): string {
  const content = {
    alembic_revision: revisions[0] ?? null,
    app_version: null,
    // in the application's format: no zone, whole seconds
    created_at: localTime(createdAt),
    db_init: { format: 1, created_at: createdAt.toISOString(), revisions, ...ours, members },
    db_type: engine,
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

/** The manifest's text for one upload, for `renderManifestAround`. */
export function renderListedEntry(name: string, { size, sha256 }: ListedEntry): string {
  return `      ${JSON.stringify(name)}: { "size": ${size}, "sha256": "${sha256}" },\n`;
}

/**
 * The same as `renderManifest`, for more entries than memory should hold.
 * @param listed texts of `renderListedEntry`, in any pieces; the manifest must have at least one other entry
 */
export function* renderManifestAround(
  manifest: Manifest,
  listed: Iterable<Buffer>,
): Generator<Buffer, void, undefined> {
  const content = renderManifest(manifest);
  // inside a string, the quotation marks would be escaped
  const begins = '"members": {\n';
  const at = content.indexOf(begins) + begins.length;
  yield Buffer.from(content.slice(0, at));
  yield* listed;
  yield Buffer.from(content.slice(at));
}

/** Reads manifest.json. @returns null if it is not a manifest, or not one of db-init */
export function parseManifest(text: string): Manifest | null {
  const content = parsed(text);
  const ours = record(content?.['db_init']);
  const engine = content?.['db_type'];
  if (ours?.['format'] !== 1 || (engine !== 'postgresql' && engine !== 'sqlite')) return null;
  const { kind, version, database, server, tool, uploads, revisions, content: held, healthy } = ours;
  const createdAt = new Date(String(ours['created_at']));
  const rows = entriesOf(ours['rows'], (value) => (typeof value === 'number' ? value : null));
  const entries = entriesOf(ours['members'], parseListedEntry);
  if (kind !== 'safety' && kind !== 'manual') return null;
  if (!isTexts(uploads) || !uploads.every(isUploadRoot)) return null;
  if (typeof version !== 'string' || typeof database !== 'string') return null;
  if (typeof server !== 'string' || typeof tool !== 'string' || !isTexts(revisions)) return null;
  // the owner chooses the name of the database and may write any version rows
  if ([version, server, tool].some(isOddText)) return null;
  if (rows === null || entries === null || Number.isNaN(createdAt.getTime())) return null;
  return {
    engine,
    kind,
    createdAt,
    version,
    database,
    server,
    tool,
    revisions,
    rows,
    entries,
    uploads,
    ...(typeof held === 'string' && { content: held }),
    ...(typeof healthy === 'boolean' && { healthy }),
  };
}

/** What every manifest contains, also the application's. */
export interface Description {
  readonly engine: Engine;
  /** One row of alembic_version; null if the application could not read it. */
  readonly revision: string | null;
  /** In local time, without a zone. */
  readonly createdAt: string | null;
  /** Whether it has the key `db_init`. */
  readonly ours: boolean;
}

/**
 * Reads the keys of manifest.json that the application writes as well. @returns the keys, or what is wrong with them
 */
export function parseDescription(text: string): Description | ManifestDefect {
  const content = parsed(text);
  if (content === null) return 'not-a-manifest';
  const { db_type: engine, alembic_revision: revision = null, created_at: createdAt = null, db_init } = content;
  if (engine === 'unknown') return 'no-database';
  if (engine !== 'postgresql' && engine !== 'sqlite') return 'unknown-engine';
  const { app_version: version = null } = content;
  // for db-init's archives, the version rows come from `db_init`
  const texts = [createdAt, version, ...(db_init === undefined ? [revision] : [])];
  if (texts.some(isOddText)) return 'odd-text';
  if (!isTextOrNull(revision) || !isTextOrNull(createdAt) || !isTextOrNull(version)) return 'wrong-type';
  return { engine, revision, createdAt, ours: db_init !== undefined };
}

/** Longer than any version, time, revision, server or tool name. A database name may have any length. */
const longestText = 1000;

/** The name that the application gives an archive: `timetracker_backup_20260214_083000.zip`, in local time. */
export function archiveName(createdAt: Date): string {
  return `timetracker_backup_${timeInName(createdAt, '_')}.zip`;
}

type Fields = Readonly<Record<string, unknown>>;

function parsed(text: string): Fields | null {
  try {
    return record(JSON.parse(text));
  } catch {
    return null;
  }
}

function record(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/** Shown text must not contain control characters or line breaks, which could control the terminal. */
function isOddText(value: unknown): boolean {
  return typeof value === 'string' && (value.length > longestText || /[\p{Cc}\uFFFD]/u.test(value));
}

function isTextOrNull(value: unknown): value is string | null {
  return typeof value === 'string' || value === null;
}

function isUploadRoot(name: string): name is UploadRootName {
  return uploadRootNames.some((root) => root === name);
}

function entriesOf<Value>(value: unknown, read: (item: unknown) => Value | null): Record<string, Value> | null {
  const entries: [string, Value][] = [];
  const items = record(value);
  if (items === null) return null;
  for (const [name, item] of Object.entries(items)) {
    const found = read(item);
    if (found === null) return null;
    entries.push([name, found]);
  }
  return Object.fromEntries(entries);
}

/** Parses the size and the hash of an entry; null if one of them is missing or has another type. */
export function parseListedEntry(value: unknown): ListedEntry | null {
  const { size, sha256 } = record(value) ?? {};
  return typeof size === 'number' && typeof sha256 === 'string' ? { size, sha256 } : null;
}

/** Objects that are made when they are read: a list with one object for each upload could fill the memory. */
export interface Listing<Item> extends Iterable<Item> {
  readonly length: number;
}

/** An entry of an archive. */
export interface ArchiveEntry {
  readonly name: string;
  /** Bytes before compression. */
  readonly size: number;
  /** The content. The stream ends with a Failure `archive-rejected` if it differs from what the archive says. */
  readonly open: () => Promise<Readable>;
  /**
   * The whole content of a short entry: a stream for each of many small files takes several times as long.
   * @throws Failure `archive-rejected` if it differs from what the archive says
   */
  readonly whole?: () => Buffer;
}

/** The most bytes of a manifest without its list of entries, and of the text for one entry. */
const longest = 16 * 1024 * 1024;
const longestEntryText = 64 * 1024;

/** The manifest is too long to be read. */
export class LongManifestError extends Error {}

/**
 * Reads a manifest.json whose list of entries may not fit into memory.
 * @param onEntry called with each entry in `db_init.members`; null for one that cannot be parsed
 * @returns the text with an empty list of entries
 * @throws LongManifestError
 */
export async function splitManifest(
  content: Readable,
  onEntry: (name: string, entry: ListedEntry | null) => void,
): Promise<string> {
  const rest: Buffer[] = [];
  let length = 0;
  const keep = (bytes: Buffer): void => {
    length += bytes.length;
    if (length > longest) throw new LongManifestError();
    rest.push(Buffer.from(bytes));
  };
  const pieces: AsyncIterable<Buffer> = content;
  const scanner = scanEntryList(keep, onEntry);
  for await (const bytes of pieces) scanner(bytes);
  return new TextDecoder().decode(Buffer.concat(rest));
}

/** The line of `renderListedEntry` for a name without escapes. */
const ownLine = /^ *"([^"\\\p{Cc}]+)": \{ "size": (\d{1,15}), "sha256": "([\da-f]{64})" \},$/u;

/**
 * Reads the lines that db-init writes: there may be hundreds of thousands, and JSON.parse takes ten times as long.
 * @param from where a line ends @returns where the last line ends that was read; `from` if the next one is another
 */
function readOwnLines(chunk: Buffer, from: number, onEntry: (name: string, entry: ListedEntry | null) => void): number {
  let at = from;
  for (;;) {
    if (chunk[at] !== lineFeed) return at;
    const end = chunk.indexOf(lineFeed, at + 1);
    const [, name, size, sha256] = (end < 0 ? null : ownLine.exec(chunk.toString('utf8', at + 1, end))) ?? [];
    if (name === undefined || sha256 === undefined) return at;
    onEntry(name, { size: Number(size), sha256 });
    at = end;
  }
}

/** @param text `"uploads/a": { "size": 1, "sha256": "…" }` */
function parseListText(text: string): readonly [name: string, entry: ListedEntry | null] {
  try {
    const value: unknown = JSON.parse(`{${text}}`);
    const [entry, another] = typeof value === 'object' && value !== null ? Object.entries(value) : [];
    return entry === undefined || another !== undefined ? ['', null] : [entry[0], parseListedEntry(entry[1])];
  } catch {
    return ['', null];
  }
}

const [quote, backslash, comma, colon, lineFeed] = [0x22, 0x5c, 0x2c, 0x3a, 0x0a];
const [opens, closes] = [new Set([0x7b, 0x5b]), new Set([0x7d, 0x5d])];
const openBrace = 0x7b;
/** The depth of the list of entries: inside `db_init`, inside the manifest. */
const depthOfEntryList = 3;

/**
 * Scans a JSON text byte by byte. It does not validate: invalid JSON outside of the list goes to `keep`, inside the
 * list into a piece.
 * @param keep receives everything outside of the list, and the braces of the list
 * @param onEntry receives each entry of the list; null for one that cannot be parsed
 */
function scanEntryList(
  keep: (bytes: Buffer) => void,
  onEntry: (name: string, entry: ListedEntry | null) => void,
): (chunk: Buffer) => void {
  let depth = 0;
  let inText = false;
  let escaped = false;
  /** The last string, and the keys that lead to the current position, as they are written. */
  let text: number[] = [];
  let before: string | null = null;
  const keys: (string | null)[] = [];
  /** The current piece of the list; null outside of it. */
  let piece: Buffer[] | null = null;
  let pieceLength = 0;
  let isFirst = true;

  const add = (bytes: Buffer): void => {
    if (piece === null) return keep(bytes);
    pieceLength += bytes.length;
    if (pieceLength > longestEntryText) throw new LongManifestError();
    piece.push(Buffer.from(bytes));
  };
  const endPiece = (isLast: boolean): void => {
    const content = Buffer.concat(piece ?? []).toString();
    // an empty list has no piece
    if (!(isLast && isFirst && content.trim() === '')) onEntry(...parseListText(content));
    isFirst = false;
    piece = [];
    pieceLength = 0;
  };

  return (chunk) => {
    let from = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (inText) {
        if (escaped) escaped = false;
        else if (byte === backslash) escaped = true;
        else if (byte === quote) {
          inText = false;
          before = Buffer.from(text).toString();
          continue;
        }
        // only short keys matter
        if (depth < depthOfEntryList && text.length < 32) text.push(byte);
      } else if (byte === quote) {
        inText = true;
        text = [];
      } else if (byte === colon) {
        keys[depth] = before;
      } else if (opens.has(byte)) {
        depth++;
        keys[depth] = null;
        const isList =
          depth === depthOfEntryList && byte === openBrace && keys[1] === 'db_init' && keys[2] === 'members';
        if (piece === null && isList) {
          add(chunk.subarray(from, at + 1));
          from = at + 1;
          piece = [];
          pieceLength = 0;
          isFirst = true;
        }
      } else if (closes.has(byte)) {
        if (piece !== null && depth === depthOfEntryList) {
          add(chunk.subarray(from, at));
          from = at;
          endPiece(true);
          piece = null;
        }
        depth--;
      } else if (byte === comma && piece !== null && depth === depthOfEntryList) {
        add(chunk.subarray(from, at));
        endPiece(false);
        at = readOwnLines(chunk, at + 1, onEntry) - 1;
        from = at + 1;
      }
    }
    add(chunk.subarray(from));
  };
}
