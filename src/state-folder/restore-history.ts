import { writeStateFile } from './state-file.ts';
import type { MeasuredObject, MeasuredUploads, Measurement } from '../model/measurement.ts';
import { readFileSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import { displayNameOf, namesOf } from '../database/target-name.ts';
import { hasCode } from '../errors/error-code.ts';
import { Failure, reasonOf } from '../errors/failure.ts';
import { restoreHistoryFileOf } from './state-paths.ts';
import {
  type ArchiveIdentity,
  isRestoreId,
  isSwapKind,
  type JournalledUploads,
  parseIdentity,
  type SwapKind,
} from './journal.ts';
import { entriesOfList, type Fields, isText, parseRecord } from './parse-record.ts';
import { stateFolderMessages } from '../report/state-folder-messages.ts';
import { timeInName } from '../platform/local-time.ts';

export interface DoneRestore {
  readonly id: string;
  readonly action: 'restore' | 'undo';
  readonly swapKind: SwapKind;
  readonly database: string;
  readonly archive: ArchiveIdentity | null;
  readonly finishedAt: string;
  /** The name of the kept former database; null if nothing is kept, or no longer. */
  readonly kept: string | null;
  /** The folders that keep the former uploads under this id. */
  readonly uploads: readonly string[];
  /**
   * The measurement of the former database when it was put aside; null if it was not measured, or if nothing is kept.
   */
  readonly measured: Measurement | null;
  /** The measurements of the former uploads when they were put aside, as far as they exist. */
  readonly measuredUploads: Readonly<Record<string, MeasuredUploads>>;
}

type HistoryConfig = Pick<Config, 'backupFolder' | 'database'>;

/**
 * The restores of this folder, the last one last.
 * @throws Failure `restore-refused` if the file cannot be read: an archive might be restored again, over newer data
 */
export function readHistory(config: HistoryConfig): readonly DoneRestore[] {
  const text = readText(config);
  if (text === null) return [];
  const { format, restores }: Fields = parseRecord(text) ?? {};
  const done = format === 1 ? entriesOfList(restores, parseDone) : null;
  if (done === null) throw unreadable(config, stateFolderMessages.damagedFile);
  return done;
}

/** @returns null if there is no history yet */
function readText(config: HistoryConfig): string | null {
  try {
    return readFileSync(restoreHistoryFileOf(config), 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw unreadable(config, reasonOf(error));
  }
}

function unreadable(config: HistoryConfig, why: string): Failure {
  const file = restoreHistoryFileOf(config);
  const obstacle = {
    kind: 'failed',
    step: 'read-history',
    reason: stateFolderMessages.unreadableFile(file, why),
    cause: { kind: 'other' },
  } as const;
  return new Failure({ kind: 'restore-refused', database: displayNameOf(config.database), obstacle });
}

/** Adds a restore to the history, or replaces its entry: a killed run may get here again. */
export function recordRestore(config: HistoryConfig, done: DoneRestore): void {
  const others = readHistory(config).filter(({ id }) => id !== done.id);
  const restores = [...others, done].map(({ swapKind: way, ...fields }) => ({ ...fields, way }));
  writeStateFile(restoreHistoryFileOf(config), { format: 1, restores });
}

/** The last restore or undo of a database, if what was there before is still kept. */
export function lastKept(config: HistoryConfig): (DoneRestore & { readonly kept: string }) | null {
  const last = readHistory(config).findLast(({ database }) => namesOf(config.database).has(database));
  return last === undefined || last.kept === null ? null : { ...last, kept: last.kept };
}

/** A new id for a restore or an undo: `20261123_201500`, in the time zone of TZ, because people read it in the names of databases. */
export function newRestoreId(config: HistoryConfig): string {
  const id = timeInName(new Date(), '_');
  const taken = readHistory(config).filter((done) => done.id.startsWith(id)).length;
  return taken === 0 ? id : `${id}_${taken + 1}`;
}

/** The folders of former uploads, without the id under which they are kept. */
export function foldersOf(uploads: readonly JournalledUploads[]): readonly string[] {
  return uploads.map(({ folder }) => folder);
}

function parseDone(value: unknown): DoneRestore | null {
  const fields: Fields = parseRecord(value) ?? {};
  const { id, action, way: swapKind, database, finishedAt, kept } = fields;
  const archive = fields['archive'] === null ? null : parseIdentity(fields['archive']);
  const uploads = entriesOfList(fields['uploads'], (item) => (isText(item) ? item : null));
  if (!isText(id) || !isText(database) || !isText(finishedAt) || (kept !== null && !isText(kept))) return null;
  // the databases that an entry names can be dropped, so they must be names that a restore makes
  if (!isRestoreId(id) || (kept !== null && !kept.endsWith(`_${id}`))) return null;
  if (action !== 'restore' && action !== 'undo') return null;
  if (!isSwapKind(swapKind)) return null;
  if (uploads === null || archive === undefined) return null;
  // an unreadable measurement counts as none: both are reported
  const measured = kept === null ? null : parseMeasurement(fields['measured']);
  const measuredUploads = parseMeasuredUploads(fields['measuredUploads']);
  return { id, action, swapKind, database, archive, finishedAt, kept, uploads, measured, measuredUploads };
}

function parseMeasuredUploads(value: unknown): DoneRestore['measuredUploads'] {
  return Object.fromEntries(
    Object.entries(parseRecord(value) ?? {}).flatMap(([folder, measured]) => {
      const { files, bytes, digest }: Fields = parseRecord(measured) ?? {};
      const whole = typeof files === 'number' && typeof bytes === 'number' && isText(digest);
      return whole ? [[folder, { files, bytes, digest }] as const] : [];
    }),
  );
}

function parseMeasurement(value: unknown): Measurement | null {
  const { revisions, file, objects }: Fields = parseRecord(value) ?? {};
  const versions = entriesOfList(revisions, (item) => (isText(item) ? item : null));
  if (versions === null || (file !== null && !isText(file))) return null;
  if (objects === null) return { revisions: versions, file, objects };
  const found = parseRecord(objects);
  if (found === null) return null;
  const measured: Record<string, MeasuredObject> = {};
  for (const [name, object] of Object.entries(found)) {
    const { rows, content, definition }: Fields = parseRecord(object) ?? {};
    if ((rows !== null && typeof rows !== 'number') || (content !== null && !isText(content))) return null;
    if (!isText(definition)) return null;
    measured[name] = { rows, content, definition };
  }
  return { revisions: versions, file, objects: measured };
}
