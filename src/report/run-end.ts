import { capitalize } from './next-steps.ts';
import type { RunRecord, SwapProgress, Step } from './run-record.ts';
import type { Notice } from './banner.ts';
import { count } from './format.ts';

/** A notification about a run. */
export interface Message {
  readonly title: string;
  /** Lines: the banner, or what was done. */
  readonly text: string;
}

/** The notification about a run that succeeded. @param command its name */
export function describeSuccess(
  command: string,
  record: Pick<RunRecord, 'database' | 'steps'>,
  changed: boolean,
): Message {
  const where = record.database === null ? '' : `: ${record.database.name}`;
  const done = describeSteps(record.steps);
  const nothing = changed ? 'The database was changed.' : 'Nothing was changed in the database.';
  return {
    title: changed ? `The database was changed by ${command}${where}` : `${capitalize(command)} ended well${where}`,
    text: done.length === 0 ? nothing : done.map((clause) => `${capitalize(clause)}.`).join('\n'),
  };
}

/** Where PostgreSQL or a client program quotes values of rows. */
const quotedValues: readonly (readonly [RegExp, string])[] = [
  // invalid input syntax for type integer: "…"; COPY users, line 3, column email: "…"
  [/(: *\s)"(?:[^"]|"")*"/g, '$1"***"'],
  // value "…" is out of range for type integer
  [/\b(value )"(?:[^"]|"")*"/gi, '$1"***"'],
  // Key (email)=(…) already exists.
  [/(\)=\()[^)]*\)/g, '$1***)'],
  // Failing row contains (…).
  [/(\brow contains \()[\s\S]*?\)(?=\.|\n|$)/gi, '$1***)'],
];

/** Redacts values of rows in a text that leaves the machine. Names of tables and columns stay. */
export function withoutRows(text: string): string {
  return quotedValues.reduce((shown, [pattern, replacement]) => shown.replaceAll(pattern, replacement), text);
}

/** The lines of the log about one recipient. @param place scheme and host alone */
export const describeNotified = (place: string): string => `The owner was told at ${place}.`;
export const describeNotNotified = (place: string, reason: string): string =>
  `The owner could not be told at ${place}: ${reason}. This does not change the exit code.`;
export const describeStatus = (status: number): string => {
  if (status >= 300 && status < 400) return `it answered ${status} and names another address: give that one`;
  return `it answered ${status}`;
};
export const noAnswer = (milliseconds: number): string => `no answer within ${milliseconds / 1000} seconds`;
export const stoppedWaiting = 'the run was stopped meanwhile';
/** The last line of a message that was cut. */
export const cutShort = '… (the log has the rest)';
export const describeNotificationFailure = (reason: string): string => `The owner could not be told: ${reason}.`;

/** Warns that a file about the end of a run could not be written. @param what the report, the metrics */
export function describeUnwritten(what: string, file: string, reason: string): string {
  return `WARNING: the ${what} could not be written to ${file}: ${reason}\n`;
}

/** What the metrics of TT_METRICS_FILE mean, in the order in which they are written. All of them are gauges. */
export const metricTexts = [
  ['db_init_info', 'The version of db-init that ran last.'],
  ['db_init_state', 'The state of the database at the end of the last run that saw it: 1 for the one that it is in.'],
  ['db_init_exit_code', 'The exit code of the last run; 0 means that all is well.'],
  ['db_init_last_run_timestamp_seconds', 'When the last run ended.'],
  ['db_init_last_run_duration_seconds', 'How long the last run took.'],
  ['db_init_last_success_timestamp_seconds', 'When a run ended with exit code 0 for the last time.'],
  ['db_init_last_change_timestamp_seconds', 'When a run changed the database for the last time.'],
  ['db_init_last_backup_timestamp_seconds', 'When a backup was made for the last time.'],
  ['db_init_last_backup_size_bytes', 'How large that backup is.'],
] as const;

export type Metric = (typeof metricTexts)[number][0];

/**
 * Holds what a failed run tells against what it has done. A problem's own `Safe:` sentence is true of a run that has
 * committed nothing; where something was committed or exchanged, or nobody knows, this is the one place that says so.
 * Where the safety backup lies is added.
 */
export function withRecord(notice: Notice, { swap, committed, backup }: RunRecord): Notice {
  const safe = swap !== null ? describeSwapProgress(swap) : describeCommitted(committed, notice.safe);
  if (backup === null) return { ...notice, safe };
  const kept = `Beside that, the database as it was before this run is in the safety backup ${backup}.`;
  return { ...notice, safe: `${safe} ${kept}` };
}

/** What is certain of both databases during a swap. It follows from the phase alone. */
export function describeSwapProgress({ action, phase, incoming, outgoing }: SwapProgress): string {
  const [coming, going] =
    action === 'restore'
      ? ['the restored database', 'the former one']
      : ['the database from before the restore', 'the restored one'];
  switch (phase) {
    case 'preparing':
      return `the live database is as it was: the ${action} had not replaced anything. The next start ends it.`;
    case 'swapping':
      return (
        `both databases are there with all their rows, but which of them is live now is not known: ${coming} ` +
        `(prepared as ${incoming}), or ${going} (kept as ${outgoing} if it was replaced). Until the next start the live ` +
        `one may let nobody in. That start finishes the ${action} if the databases were exchanged, and else takes it back.`
      );
    case 'finishing':
      return (
        `${coming} is live, and ${going} is kept as ${outgoing} with all its rows. The next start does what is left ` +
        'of it, the uploads for example.'
      );
    case 'unproven':
      return (
        `${coming} is live; whether it is healthy could not be seen any more, and the next start looks. ` +
        `${going.replace('the', 'The')} is kept as ${outgoing} with all its rows: \`restore --undo\` brings it back.`
      );
  }
}

function describeCommitted(committed: RunRecord['committed'], own: string): string {
  if (committed === null) return own;
  if (committed === 'unknown') {
    return (
      'the connection broke while the work was being committed, and the server could not be asked what became of it: ' +
      'either all of it is in the database, or nothing. The next start looks.'
    );
  }
  const done = describeSteps(committed);
  const what = done.length === 0 ? '' : `: ${done.join('; ')}`;
  return `what this run had committed before that stays${what}. What it had not committed was rolled back.`;
}

/** What has been done, a clause for each kind of step. */
export function describeSteps(steps: readonly Step[]): readonly string[] {
  const clauses: string[] = [];
  // after several swaps the last one decides what is live
  let exchanged = '';
  let revisions = 0;
  let mended = 0;
  for (const step of steps) {
    switch (step.kind) {
      case 'backup':
        break;
      case 'quarantine':
        clauses.push(
          `${count(step.relations.length, 'relation')} moved to the quarantine ${step.schema}, with all rows`,
        );
        break;
      case 'quarantine-restored':
        clauses.push(`${count(step.relations.length, 'relation')} of the quarantine ${step.schema} brought back`);
        break;
      case 'quarantine-purged':
        clauses.push(
          `${count(step.relations.length, 'relation')} of the quarantine ${step.schema} deleted for good, as ordered`,
        );
        break;
      case 'deletion':
        clauses.push(`${count(step.tables.length, 'table')} of TimeTracker deleted, and the schema created anew`);
        break;
      case 'adoption':
        clauses.push(`stamped ${step.revision}`);
        break;
      case 'revision':
        revisions += 1;
        break;
      case 'mending':
        mended += 1;
        break;
      case 'exchange':
        exchanged =
          step.action === 'restore'
            ? `the restored database is live, and the former one is kept as ${step.kept}`
            : `the database from before the restore is live, and the restored one is kept as ${step.kept}`;
        break;
      case 'former-dropped':
        clauses.push(`dropped for good, as ordered: ${step.names.join(', ')}`);
        break;
    }
  }
  if (revisions > 0) clauses.push(`${count(revisions, 'revision')} applied`);
  if (mended > 0) clauses.push(`${count(mended, 'difference')} mended`);
  return exchanged === '' ? clauses : [exchanged, ...clauses];
}
