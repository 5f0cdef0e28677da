import type { Plan } from '../model/plan.ts';
import type { State } from '../model/state.ts';
import { formatMilliseconds, listRows } from './format.ts';
import type { Log } from './log.ts';

/** Says why there is nothing to do. */
export function announcePass({ state }: Extract<Plan, { kind: 'pass' }>, log: Log): void {
  if (state.kind === 'ahead') {
    log.warn(
      `The database is newer than this image (${listRows(state.unknown, ', ')}). TT_ALLOW_NEWER_SCHEMA allows that: ` +
        'the core tables exist, and nothing else was checked.',
    );
    return;
  }
  log.info(`The database is healthy and current (${state.revisions.join(', ')}): nothing to do.`);
}

/** What the log says of the work at the schema. */
export const workMessages = {
  healthy: (heads: readonly string[]): string => `The database is healthy and current (${heads.join(', ')}).`,
  broughtToHead: (milliseconds: number): string =>
    `The schema was brought to the head in ${formatMilliseconds(milliseconds)}.`,
  backupNotNoted: (reason: string): string =>
    `db-init could not note which backup was made before this change: ${reason}.`,
  runNotNoted: (reason: string): string => `db-init could not write its note in the backup folder (${reason}).`,
};

/** What the log and the questions of `adopt` say. @param rows of alembic_version */
export const adoptionMessages = {
  wouldStamp: (rows: readonly string[]): string =>
    `Without --dry-run the database would be stamped ${rows.join(' with ')}.`,
  stamped: (rows: readonly string[]): string =>
    `The database is stamped ${listRows(rows)}. Nothing was migrated yet: the gate does that next.`,
  same: (rows: readonly string[]): string => `The schema is that of ${listRows(rows)}.`,
  compared: (rows: readonly string[]): string => `Compared with ${listRows(rows)}, this is missing or different:`,
  consent: (rows: readonly string[]): string =>
    `The schema is not that of ${listRows(rows)}: later revisions may fail, or build on what is missing.`,
  unknownRevisions: (unknown: readonly string[]): string => `There is no revision "${unknown.join('", "')}".`,
  hasRevisions: (rows: readonly string[]): string =>
    `The database already has version information: ${rows.join(', ')}. There is nothing to adopt.`,
  noCoreTable: (state: State['kind']): string =>
    `The database has no core table: it is ${state}, and there is nothing to adopt.`,
};
