import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { displayNameOf } from '../database/target-name.ts';
import { replaceFile } from '../platform/durable-file.ts';
import { isText, parseRecord } from './parse-record.ts';

/** The state of a backup scheduler, for its health check. Times are ISO 8601. */
export interface SchedulerState {
  readonly pid: number;
  /** When the next backup is due; null while one is made. */
  readonly next: string | null;
  /** How the last backup of this scheduler ended; null before the first. */
  readonly last: { readonly at: string; readonly exitCode: number } | null;
}

/**
 * The file of the state. It is in the temporary folder and not in the state folder, so it was written since the
 * container started.
 */
export function schedulerStateOf({ backupFolder, database }: Pick<Config, 'backupFolder' | 'database'>): string {
  const which = createHash('sha256')
    .update(`${backupFolder}\n${displayNameOf(database)}`)
    .digest('hex')
    .slice(0, 16);
  return join(tmpdir(), `db-init-schedule-${which}.json`);
}

/** Writes the state. @throws Error of the file system */
export function writeSchedulerState(file: string, state: SchedulerState): void {
  // others may write to that folder, so the name must not be predictable
  replaceFile(file, JSON.stringify(state), 0o600, `${file}.${randomUUID()}`);
}

/** Reads the state. @returns null if there is no readable file */
export function readSchedulerState(file: string): SchedulerState | null {
  try {
    const state = parseRecord(readFileSync(file, 'utf8'));
    const next = state?.['next'];
    const last = state?.['last'];
    if (typeof state?.['pid'] !== 'number' || (next !== null && !isText(next))) return null;
    const { pid } = state;
    if (last === null) return { pid, next, last };
    const { at, exitCode } = parseRecord(last) ?? {};
    return isText(at) && typeof exitCode === 'number' ? { pid, next, last: { at, exitCode } } : null;
  } catch {
    return null;
  }
}
