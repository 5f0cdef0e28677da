import { syncToDisk } from '../platform/durable-file.ts';
import { writeStateFile } from './state-file.ts';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { hasCode } from '../errors/error-code.ts';
import { stateFolderOf } from './state-paths.ts';
import { entriesOfList, isText, parseRecord, type Fields } from './parse-record.ts';
import { stateFolderMessages } from '../report/state-folder-messages.ts';
import { hostname } from 'node:os';

/** The kind of swap: databases, schemas or files are renamed. */
export type SwapKind = 'databases' | 'schemas' | 'files';

/** The names of a swap: `live` becomes `outgoing`, and `incoming` becomes `live`. */
export interface SwapNames {
  readonly live: string;
  readonly incoming: string;
  readonly outgoing: string;
}

/** A folder of uploads that changes its contents with the database. */
export interface JournalledUploads {
  readonly folder: string;
  /** The id under which the incoming set is kept as a former one; only for an undo. */
  readonly former: string | null;
}

/** The identity of an archive: its content, not its name. */
export interface ArchiveIdentity {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  /** In hexadecimal digits; null if it is not needed. */
  readonly sha256: string | null;
}

/** What another run needs to complete or roll back a restore or an undo. */
export interface Journal {
  readonly id: string;
  readonly action: 'restore' | 'undo';
  readonly swapKind: SwapKind;
  /** The name of the live database for people. */
  readonly database: string;
  readonly archive: ArchiveIdentity | null;
  readonly startedAt: string;
  /** The process of the run: `host 3f2a, pid 7`. */
  readonly holder: string;
  /**
   * `preparing`: the live database is untouched. `swapping`: recovery must find out which database has the live name.
   * `finishing`: the new database is live and verified; only the remaining steps must be done.
   */
  readonly phase: 'preparing' | 'swapping' | 'finishing';
  readonly names: SwapNames;
  readonly uploads: readonly JournalledUploads[];
}

/** The journal of this volume. It is outside of the database that is being replaced. */
export function journalFileOf(config: Pick<Config, 'backupFolder'>): string {
  return join(stateFolderOf(config), 'restore.json');
}

/** Reads the journal of this volume. @returns null if there is none; `unreadable` if it cannot be parsed */
export function readJournal(config: Pick<Config, 'backupFolder'>): Journal | 'unreadable' | null {
  let text: string;
  try {
    text = readFileSync(journalFileOf(config), 'utf8');
  } catch (error) {
    return hasCode(error, 'ENOENT', 'ENOTDIR') ? null : 'unreadable';
  }
  return parseJournal(text) ?? 'unreadable';
}

/** A description of the running work: `a restore of /data/a.zip (host 3f2a, pid 7, since …)`; null if it is unknown. */
export function describeJournal(config: Pick<Config, 'backupFolder'>): string | null {
  const journal = readJournal(config);
  if (journal === null || journal === 'unreadable') return null;
  return stateFolderMessages.runningRestore(journal.archive?.path ?? null, journal.holder, journal.startedAt);
}

/** The other run that holds the journal, for messages. */
export function describeRunningRestore(config: Pick<Config, 'backupFolder'>): string {
  return describeJournal(config) ?? stateFolderMessages.finishingRestore;
}

/**
 * Writes the journal. After a power failure, either the former journal or this one exists.
 * @param claim of the run that owns it: journals of other runs have other claims
 */
export function writeJournal(config: Pick<Config, 'backupFolder'>, journal: Journal, claim: string): void {
  const { swapKind: way, names: places, ...fields } = journal;
  writeStateFile(journalFileOf(config), { format: 1, ...fields, way, places, claim });
}

/** Whether the journal exists and was last written by the run of that claim. */
export function isClaimed(config: Pick<Config, 'backupFolder'>, claim: string): boolean {
  try {
    return parseRecord(readFileSync(journalFileOf(config), 'utf8'))?.['claim'] === claim;
  } catch {
    return false;
  }
}

/** Removes the journal, when the restore is complete or rolled back. */
export function removeJournal(config: Pick<Config, 'backupFolder'>): void {
  const file = journalFileOf(config);
  rmSync(`${file}.partial`, { force: true });
  rmSync(file, { force: true });
  syncToDisk(stateFolderOf(config));
}

/** Reads a journal. @returns null if this version does not understand it */
export function parseJournal(text: string): Journal | null {
  const fields = parseRecord(text);
  if (fields?.['format'] !== 1) return null;
  const { id, action, way: swapKind, database, startedAt, holder, phase } = fields;
  const names = parseNames(fields['places']);
  const uploads = entriesOfList(fields['uploads'], parseUploads);
  const archive = fields['archive'] === null ? null : parseIdentity(fields['archive']);
  if (!isText(id) || !isText(database) || !isText(startedAt) || !isText(holder)) return null;
  if (action !== 'restore' && action !== 'undo') return null;
  if (!isSwapKind(swapKind)) return null;
  if (phase !== 'preparing' && phase !== 'swapping' && phase !== 'finishing') return null;
  if (names === null || uploads === null || archive === undefined) return null;
  if (!areRestoreNames(names, id, action)) return null;
  return { id, action, swapKind, database, archive, startedAt, holder, phase, names, uploads };
}

export const isSwapKind = (value: unknown): value is SwapKind =>
  value === 'databases' || value === 'schemas' || value === 'files';

/** Whether a text can be the id of a restore: it becomes a part of names. */
export const isRestoreId = (text: string): boolean => /^[a-z0-9_]+$/.test(text);

/** Checks the names in a journal: recovery may drop them, so each must be one that a restore makes, or keeps. */
function areRestoreNames({ incoming, outgoing }: SwapNames, id: string, action: Journal['action']): boolean {
  if (!isRestoreId(id) || !outgoing.endsWith(`_${id}`)) return false;
  return action === 'undo' || incoming.endsWith(`_${id}`);
}

function parseNames(value: unknown): SwapNames | null {
  const { live, incoming, outgoing }: Fields = parseRecord(value) ?? {};
  return isText(live) && isText(incoming) && isText(outgoing) ? { live, incoming, outgoing } : null;
}

function parseUploads(value: unknown): JournalledUploads | null {
  const { folder, former }: Fields = parseRecord(value) ?? {};
  return isText(folder) && (former === null || isText(former)) ? { folder, former } : null;
}

/** Parses the identity of an archive. @returns undefined if it is invalid */
export function parseIdentity(value: unknown): ArchiveIdentity | undefined {
  const { path, size, modified, sha256 }: Fields = parseRecord(value) ?? {};
  if (!isText(path) || typeof size !== 'number' || typeof modified !== 'number') return undefined;
  return sha256 === null || isText(sha256) ? { path, size, modified, sha256 } : undefined;
}

/** The folder for the temporary files of a restore. */
export function stagingFolderOf(config: Pick<Config, 'backupFolder'>, id: string): string {
  return join(stateFolderOf(config), `restore-${id}`);
}

/** The name of this process in a journal. */
export function nameOfThisProcess(): string {
  return `host ${hostname()}, pid ${process.pid}`;
}
