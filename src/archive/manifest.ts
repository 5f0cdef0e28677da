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

export interface ListedEntry {
  /** Bytes before compression. */
  readonly size: number;
  /** In hexadecimal digits. */
  readonly sha256: string;
}

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
export function renderManifest({ engine, createdAt, revisions, entries, ...ours }: Manifest): string {
  const content = {
    alembic_revision: revisions[0] ?? null,
    app_version: null,
    // in the application's format: no zone, whole seconds
    created_at: localTime(createdAt),
    db_init: { format: 1, created_at: createdAt.toISOString(), revisions, ...ours, members: entries },
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
