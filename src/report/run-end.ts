import { capitalize } from './next-steps.ts';
import type { RunRecord, SwapProgress, Step } from './run-record.ts';
import type { Notice } from './banner.ts';
import { count } from './format.ts';

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
    title: changed ? `The database was changed by ${command}${where}` : `${capitalize(command)} succeeded${where}`,
    text: done.length === 0 ? nothing : done.map((clause) => `${capitalize(clause)}.`).join('\n'),
  };
}

/** The places in messages of PostgreSQL or a client program that quote values of rows. */
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
export const describeNotified = (place: string): string => `Sent the notification to ${place}.`;
export const describeNotNotified = (place: string, reason: string): string =>
  `The notification to ${place} could not be sent: ${reason}. This does not change the exit code.`;
export const describeStatus = (status: number): string => {
  if (status >= 300 && status < 400) return `it answered ${status} and redirects to another address: use that one`;
  return `it answered ${status}`;
};
export const noAnswer = (milliseconds: number): string => `no answer within ${milliseconds / 1000} seconds`;
export const stoppedWaiting = 'the run was stopped';
/** The last line of a message that was cut. */
export const cutShort = '… (the log has the rest)';
export const describeNotificationFailure = (reason: string): string => `The notification could not be sent: ${reason}.`;

/** Warns that a file about the end of a run could not be written. @param what the report, the metrics */
export function describeUnwritten(what: string, file: string, reason: string): string {
  return `WARNING: the ${what} could not be written to ${file}: ${reason}\n`;
}

/** What the metrics of TT_METRICS_FILE mean, in the order in which they are written. All of them are gauges. */
export const metricTexts = [
  ['db_init_info', 'The version of db-init that ran last.'],
  ['db_init_state', 'The state of the database at the end of the last run that saw it: 1 for that state.'],
  ['db_init_exit_code', 'The exit code of the last run; 0 means success.'],
  ['db_init_last_run_timestamp_seconds', 'When the last run ended.'],
  ['db_init_last_run_duration_seconds', 'How long the last run took.'],
  ['db_init_last_success_timestamp_seconds', 'When a run ended with exit code 0 for the last time.'],
  ['db_init_last_change_timestamp_seconds', 'When a run changed the database for the last time.'],
  ['db_init_last_backup_timestamp_seconds', 'When a backup was made for the last time.'],
  ['db_init_last_backup_size_bytes', 'The size of that backup.'],
] as const;

export type Metric = (typeof metricTexts)[number][0];

/**
 * Corrects the `Safe:` sentence of a failed run. A problem's own sentence is only true for a run that has committed
 * nothing; if something was committed or swapped, or if that is unknown, it is replaced here. Adds the path of the
 * safety backup.
 */
export function withRecord(notice: Notice, { swap, committed, backup }: RunRecord): Notice {
  const safe = swap !== null ? describeSwapProgress(swap) : describeCommitted(committed, notice.safe);
  if (backup === null) return { ...notice, safe };
  const kept = `The safety backup ${backup} contains the database as it was before this run.`;
  return { ...notice, safe: `${safe} ${kept}` };
}

/** What is certain about both databases during a swap. It depends only on the phase. */
export function describeSwapProgress({ action, phase, incoming, outgoing }: SwapProgress): string {
  const [coming, going] =
    action === 'restore'
      ? ['the restored database', 'the former one']
      : ['the database from before the restore', 'the restored one'];
  switch (phase) {
    case 'preparing':
      return `the live database is as it was: the ${action} had not replaced anything yet. The next start undoes it.`;
    case 'swapping':
      return (
        `both databases exist with all their rows, but db-init does not know which one is live now: ${coming} ` +
        `(prepared as ${incoming}), or ${going} (kept as ${outgoing} if it was replaced). Until the next start the live ` +
        `one may accept no connections. That start finishes the ${action} if the databases were swapped, and undoes it otherwise.`
      );
    case 'finishing':
      return (
        `${coming} is live, and ${going} is kept as ${outgoing} with all its rows. The next start does the remaining ` +
        'steps, for example the uploads.'
      );
    case 'unproven':
      return (
        `${coming} is live, but db-init could not verify it. The next start does. ` +
        `${going.replace('the', 'The')} is kept as ${outgoing} with all its rows: \`restore --undo\` brings it back.`
      );
  }
}

function describeCommitted(committed: RunRecord['committed'], own: string): string {
  if (committed === null) return own;
  if (committed === 'unknown') {
    return (
      'the connection broke during the commit, and db-init could not ask the server for the result: ' +
      'either all changes are in the database, or none. The next start checks it.'
    );
  }
  const done = describeSteps(committed);
  const what = done.length === 0 ? '' : `: ${done.join('; ')}`;
  return `the changes that this run had committed stay${what}. What it had not committed was rolled back.`;
}

/** The finished steps, with a clause for each kind. */
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
          `${count(step.relations.length, 'relation')} of the quarantine ${step.schema} deleted for good, as requested`,
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
        clauses.push(`dropped for good, as requested: ${step.names.join(', ')}`);
        break;
    }
  }
  if (revisions > 0) clauses.push(`${count(revisions, 'revision')} applied`);
  if (mended > 0) clauses.push(`${count(mended, 'difference')} repaired`);
  return exchanged === '' ? clauses : [exchanged, ...clauses];
}
