import { writeStateFile } from './state-file.ts';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Config } from '../config/config.ts';
import { namesOf } from '../database/target-name.ts';
import { hasCode } from '../errors/error-code.ts';
import { stateFolderOf } from './state-paths.ts';

const fileOf = (config: Pick<Config, 'backupFolder'>): string => join(stateFolderOf(config), 'before-last-change.json');

/**
 * Records the safety backup from before the last successful change: a person who wants to undo the change
 * restores it, so it is kept until the next change succeeds.
 */
export function recordLastChange(config: Pick<Config, 'backupFolder'>, database: string, backup: string): void {
  writeStateFile(fileOf(config), { database, backup: basename(backup) });
}

/** The path of the safety backup from before the last change that has succeeded; null if none is remembered. */
export function backupBeforeLastChange(config: Pick<Config, 'backupFolder' | 'database'>): string | null {
  try {
    const note: unknown = JSON.parse(readFileSync(fileOf(config), 'utf8'));
    if (typeof note !== 'object' || note === null || !('backup' in note) || !('database' in note)) return null;
    if (typeof note.database !== 'string' || !namesOf(config.database).has(note.database)) return null;
    if (typeof note.backup !== 'string') return null;
    return join(config.backupFolder, basename(note.backup));
  } catch (error) {
    if (hasCode(error, 'ENOENT') || error instanceof SyntaxError) return null;
    throw error;
  }
}
