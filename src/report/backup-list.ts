import { basename } from 'node:path';
import type { Backup } from '../backup/create.ts';
import type { FoundArchive } from '../backup/retention.ts';
import type { ListedArchive } from '../backup/list.ts';
import type { VerifiedArchive } from '../backup/verify.ts';
import { localTime, utcOffset } from '../platform/local-time.ts';
import { printable } from '../platform/printable.ts';
import { shownArchive } from './next-steps.ts';
import { listObjects } from './archive-messages.ts';
import { count, formatAge, formatBytes } from './format.ts';
import type { JsonObject } from './output.ts';

/** What `backup create --json` prints: what `list` would say of the archive. */
export function describeMade({ path, size, manifest }: Backup): JsonObject {
  const { kind, createdAt, engine, database, revisions, entries, uploads: roots } = manifest;
  const uploads = Object.keys(entries).filter((name) => roots.some((root) => name.startsWith(`${root}/`))).length;
  const archive = { path, kind, made: createdAt, engine, database, revisions, bytes: size, uploads, problem: null };
  return describeListed({ name: basename(path), ...archive });
}

/** What `backup verify --json` prints, with the keys of `list`. `unpacked`: bytes of all entries. */
export function describeVerified({ file: path, created, kind, ...found }: VerifiedArchive): JsonObject {
  const { bytes: unpacked, size: bytes, entries: members, isBare: _, ...others } = found;
  const made = created === null ? null : new Date(created);
  return {
    file: basename(path),
    path,
    kind: kind ?? 'application',
    // the application says the local time, which this is taken for
    made: made === null || Number.isNaN(made.getTime()) ? null : made.toISOString(),
    ...others,
    members,
    bytes,
    unpacked,
    problem: null,
  };
}

/** An entry of `backup list --json`. */
export function describeListed(archive: ListedArchive): JsonObject {
  const { name: file, made, ...others } = archive;
  return { file, ...others, made: made.toISOString() };
}

const columns = ['name', 'made', 'kind', 'engine', 'revision', 'size', 'uploads', ''] as const;

/** `backup list` for people. */
export function renderArchives(folder: string, archives: readonly ListedArchive[]): string {
  if (archives.length === 0) return `There are no backups in ${folder}.\n`;
  const rows = [columns, ...archives.map((archive) => rowOf(archive).map(printable))];
  const widths = columns.map((_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return [`Backups in ${printable(folder)}, newest first:`, '', ...lines, ''].join('\n');
}

/** The last backup that was proven when it was made, for programs. */
export function describeNewest(newest: FoundArchive | null): JsonObject | null {
  if (newest === null) return null;
  const { path, manifest } = newest;
  const made = manifest.createdAt;
  const ageSeconds = Math.max(0, Math.floor((Date.now() - made.getTime()) / 1000));
  return {
    file: basename(path),
    path,
    kind: manifest.kind,
    database: manifest.database,
    made: made.toISOString(),
    ageSeconds,
  };
}

/** The same as a line below the list, which names it. */
export function renderNewest(newest: FoundArchive | null): string {
  return `\nLast backup that db-init has read back and found whole: ${newest === null ? 'none' : ageOf(newest)}.\n`;
}

/** The same as a line of `status`. */
export function listNewest(newest: FoundArchive | null): readonly string[] {
  return [
    `backup:    ${newest === null ? 'none of db-init' : `${printable(basename(newest.path))}, ${ageOf(newest)}`}`,
  ];
}

/** `5 hours ago (2026-11-23 20:21Z, manual)` */
function ageOf({ manifest: { createdAt, kind } }: FoundArchive): string {
  return `${formatAge(createdAt)} ago (${shortTime(createdAt)}, ${kind})`;
}

function rowOf({ name, made, kind, engine, revisions, bytes, uploads, problem }: ListedArchive): readonly string[] {
  return [
    name,
    shortTime(made),
    kind,
    engine ?? '?',
    revisions === null ? '?' : revisions.join(', ') || 'none',
    formatBytes(bytes),
    uploads === null ? '?' : uploads === 0 ? 'none' : count(uploads, 'file'),
    problem === null ? 'looks whole' : `not readable: ${problem}`,
  ];
}

/** `backup verify` for people. */
export function renderVerified(found: VerifiedArchive): string {
  const { file, engine, kind, created, server, database, version, revisions, rows, entries, uploads, bytes } = found;
  const { objects, isBare } = found;
  const by = version === null ? 'the application' : `db-init ${version}`;
  const of = database === null ? '' : ` of ${database}`;
  return [
    `The archive is whole: ${shownArchive(file)}`,
    isBare
      ? 'made:      not known: it is no archive'
      : `made:      ${madeAt(created)} by ${by}${kind === null ? '' : ` (${kind})`}`,
    `database:  ${server ?? engine}${of}`,
    `revisions: ${revisions === null ? 'not known' : revisions.join(', ') || 'none'}`,
    `rows:      ${rows ?? (isBare ? 'not known until it is restored' : 'not known: the manifest does not say')}`,
    `uploads:   ${count(uploads, 'file')}`,
    `entries:   ${entries}, ${formatBytes(bytes)} unpacked`,
    ...(objects.length === 0
      ? []
      : [
          `objects:   ${objects.length} that TimeTracker does not make; a restore refuses them without --trust-archive:`,
          ...listObjects(objects),
        ]),
    '',
  ]
    .map(printable)
    .join('\n');
}

/** What a restore beside the live database has shown. */
export interface RestoreProof {
  /** Of each table, before it was migrated; null where only the restore itself can tell. */
  readonly rows: Readonly<Record<string, number>> | null;
}

/** Continues `renderVerified`. */
export function renderProof({ rows }: RestoreProof): string {
  if (rows === null) return 'restored:  in a transaction that was rolled back; it was not migrated there\n';
  const counts = Object.values(rows);
  const held = `${count(counts.length, 'table')} with ${count(sumOf(counts), 'row')}`;
  return `restored:  into a scratch database, brought to the current revision and thrown away: ${held}\n`;
}

const sumOf = (counts: readonly number[]): number => counts.reduce((sum, number) => sum + number, 0);

function madeAt(created: VerifiedArchive['created']): string {
  if (created === null) return 'at a time that it does not say';
  return typeof created === 'string' ? created.replace('T', ' ').slice(0, 16) : shortTime(created);
}

/** `2026-02-14 08:30+02:00` */
function shortTime(instant: Date): string {
  return localTime(instant).slice(0, 16).replace('T', ' ') + utcOffset(instant);
}
