import { writeStateFile } from './state-file.ts';
import { readFileSync, rmSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import { hasCode } from '../errors/error-code.ts';
import { reasonOf } from '../errors/failure.ts';
import { entriesOfList, type Fields, isText, parseRecord } from './parse-record.ts';
import { onceFileOf } from './state-paths.ts';
import { stateFolderMessages } from '../report/state-folder-messages.ts';

export interface OnceProgress {
  /** The value of the variable: another value starts again. */
  readonly commands: readonly (readonly string[])[];
  /** How many of them were run. */
  readonly finished: number;
  /** How often the next one failed without having changed anything. */
  readonly failures: number;
  /** When the last one began. It is written first, so that a crash does not lead to a second run. */
  readonly begunAt: string;
  /** How it ended; null while it runs, or if that is unknown. */
  readonly end: OnceEnd | null;
}

export interface OnceEnd {
  readonly at: string;
  readonly exitCode: number;
  /** Whether it may have changed something. */
  readonly changed: boolean;
}

type OnceConfig = Pick<Config, 'backupFolder'>;

/** Reads the progress. @returns null if there is no record @throws Error that says why it cannot be read */
export function readOnce(config: OnceConfig): OnceProgress | null {
  let text: string;
  try {
    text = readFileSync(onceFileOf(config), 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw new Error(reasonOf(error), { cause: error });
  }
  const progress = parseOnce(text);
  if (progress === null) throw new Error(stateFolderMessages.damagedFile);
  return progress;
}

/** Writes the progress. @throws Error that names the file */
export function writeOnce(config: OnceConfig, progress: OnceProgress): void {
  writeStateFile(onceFileOf(config), { format: 1, ...progress });
}

/** Deletes the progress. @throws Error of the file system */
export function removeOnce(config: OnceConfig): void {
  rmSync(onceFileOf(config), { force: true });
}

function parseOnce(text: string): OnceProgress | null {
  const fields: Fields = parseRecord(text) ?? {};
  const { format, finished, failures, begunAt } = fields;
  const word = (item: unknown): string | null => (isText(item) ? item : null);
  const commands = entriesOfList(fields['commands'], (item) => entriesOfList(item, word));
  const end = fields['end'] === null ? null : parseEnd(fields['end']);
  if (format !== 1 || commands === null || !isCount(finished) || !isCount(failures)) return null;
  if (!isTime(begunAt) || end === undefined || finished > commands.length) return null;
  return { commands, finished, failures, begunAt, end };
}

function parseEnd(value: unknown): OnceEnd | undefined {
  const { at, exitCode, changed }: Fields = parseRecord(value) ?? {};
  if (!isTime(at) || !isCount(exitCode) || typeof changed !== 'boolean') return undefined;
  return { at, exitCode, changed };
}

function isTime(value: unknown): value is string {
  return isText(value) && !Number.isNaN(Date.parse(value));
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}
