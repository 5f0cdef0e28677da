import type { Notice } from './banner.ts';
import { count } from './format.ts';
import type { Exchange, RunRecord, Step } from './run-record.ts';

/**
 * Holds what a failed run tells against what it has done. A problem's own `Safe:` sentence is true of a run that has
 * committed nothing; where something was committed or exchanged, or nobody knows, this is the one place that says so.
 * Where the safety backup lies is added.
 */
export function withRecord(notice: Notice, { exchange, committed, backup }: RunRecord): Notice {
  const safe = exchange !== null ? describeExchange(exchange) : describeCommitted(committed, notice.safe);
  if (backup === null) return { ...notice, safe };
  const kept = `Beside that, the database as it was before this run is in the safety backup ${backup}.`;
  return { ...notice, safe: `${safe} ${kept}` };
}

/** What is certain of both databases while an exchange is not over. It follows from the phase alone. */
export function describeExchange({ action, phase, incoming, outgoing }: Exchange): string {
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
  const done = stepsInWords(committed);
  const what = done.length === 0 ? '' : `: ${done.join('; ')}`;
  return `what this run had committed before that stays${what}. What it had not committed was rolled back.`;
}

/** What has been done, a clause for each kind of step. */
export function stepsInWords(steps: readonly Step[]): readonly string[] {
  const clauses: string[] = [];
  // of several exchanges the last one tells what is live
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
