import type { Assessment } from '../assessment/observation.ts';
import { printable } from '../platform/printable.ts';
import { describeMatch } from './schema-differences.ts';
import { renderBanner } from './banner.ts';
import type { Commands } from './commands.ts';
import { describeOrders } from './run-once-messages.ts';
import { describeProblem } from './error-messages.ts';
import type { Action, StateReport } from '../assessment/state-report.ts';
import type { Rehearsal } from '../operations/rehearse.ts';
import type { CatalogChanges } from '../schema/revision-changes.ts';
import { count, listRows } from './format.ts';

/** What each state means, in a line. */
const meanings: Readonly<Record<NonNullable<StateReport['state']>, string>> = {
  fresh: 'empty',
  current: 'healthy, at the current revision',
  behind: 'at an older revision',
  corrupted: 'tables, but neither alembic_version nor a core table',
  partial: 'version information, but core tables are missing or incomplete',
  unversioned: 'tables of TimeTracker, but no version information',
  drifted: 'parts of the schema of its revision are missing or different',
  ahead: 'at a revision that this image does not know',
  foreign: "another application's database",
  elsewhere: 'the tables of TimeTracker are in another schema',
  interrupted: 'a restore is running, or was interrupted',
  unreadable: 'could not be inspected',
};

/** What the gate does with a state, if nothing prevents it. */
const intentions: Partial<typeof meanings> = {
  fresh: ': the gate will create the schema',
  behind: ': the gate will migrate it',
};

/** `status` for people. */
export function renderStatus(
  report: StateReport,
  seen: Assessment,
  commands: Commands,
  more: readonly string[],
): string {
  return (
    textOf([
      ...summary(report),
      ...more,
      ...ordered(report),
      ...atStart(report),
      ...restore(seen),
      ...identity(seen),
      ...missing(report),
      ...extras(report),
    ]) + banner(report, seen, commands)
  );
}

/** `plan` for people: what the gate would do. */
export function renderPlan(report: StateReport, seen: Assessment, commands: Commands): string {
  const steps: Readonly<Record<Action, string>> = {
    restore:
      'The gate would restore that archive into a new database, migrate and verify it, and then swap it with the ' +
      'live one. The present database is kept.',
    pass: 'The gate would do nothing, and the application would start.',
    settle:
      'The gate would wait for that restore if it is running, or else finish or undo it, and then assess the database again.',
    migrate:
      report.pending.length === 0
        ? 'The gate would correct the rows of alembic_version (equal ones, or those of earlier revisions), and apply no revision.'
        : `The gate would apply ${report.pending.length} revisions, in one transaction:`,
    'adopt and migrate': `The gate would stamp it with ${listRows(report.adopts)}, then apply ${report.pending.length} revisions, in one transaction:`,
    'quarantine and migrate': `The gate would move these tables to a quarantine schema, then apply ${report.pending.length} revisions:`,
    repair: 'The gate would add what is missing, in one transaction:',
    refuse: 'The gate would change nothing, and the application would not start.',
  };
  const step = report.action === null ? [] : ['', steps[report.action]];
  // the present database is kept as it is, or replaced
  const pending = report.action === 'restore' || report.action === 'refuse' ? [] : report.pending;
  const details = [...pending, ...missing(report)].map((detail) => `  ${detail}`);
  const orders = ordered(report);
  return (
    textOf([
      ...summary(report),
      ...orders,
      ...atStart(report),
      ...restore(seen),
      ...notesOn(report),
      ...step,
      ...details,
    ]) + banner(report, seen, commands)
  );
}

/** `verify` for people. */
export function renderVerdict(report: StateReport, seen: Assessment, commands: Commands): string {
  const verdict =
    report.state === 'current'
      ? ['verified: every table, column, key and index of the revision exists']
      : ['NOT VERIFIED'];
  return (
    // it does not look for what prevents the gate, so it does not say what the gate will do
    textOf([
      ...summary({ ...report, action: null }),
      ...restore(seen),
      ...missing(report),
      ...extras(report),
      ...verdict,
    ]) + banner(report, seen, commands)
  );
}

function summary(report: StateReport): readonly string[] {
  return [
    `database:  ${report.database} (${report.serverVersion})`,
    `state:     ${describeState(report)}`,
    `revisions: ${listRows(report.revisions, ', ') || 'none'}`,
    `heads:     ${report.heads.join(', ')}`,
    `pending:   ${report.pending.length}`,
  ];
}

function describeState({ state, action }: StateReport): string {
  if (state === null) return 'null';
  const intention = action === null || action === 'refuse' || action === 'restore' ? '' : (intentions[state] ?? '');
  return `${state}: ${meanings[state]}${intention}`;
}

/** The differences that would be repaired; a banner shows the others. */
function missing({ action, problems }: StateReport): readonly string[] {
  return action === 'repair' ? problems.map(({ message }) => message) : [];
}

function extras(report: StateReport): readonly string[] {
  const { tables, columns, indexes } = report.extras;
  return [...extra('tables', tables), ...extra('columns', columns), ...extra('indexes', indexes), ...notesOn(report)];
}

function notesOn({ notes }: StateReport): readonly string[] {
  return notes.map(({ message }) => `also here: ${message}`);
}

function extra(what: string, names: readonly string[]): readonly string[] {
  if (names.length === 0) return [];
  const more = names.length > 10 ? ', …' : '';
  return [
    `also here: ${what} that are not the application's (${names.length}): ${names.slice(0, 10).join(', ')}${more}`,
  ];
}

/** What TT_RUN_ONCE orders. */
function ordered({ runOnce }: StateReport): readonly string[] {
  return runOnce === null ? [] : [describeOrders(runOnce.commands, runOnce.why)];
}

/** What TT_RESTORE_FROM orders. */
function atStart({ restores, action }: StateReport): readonly string[] {
  if (restores === null) return [];
  const will =
    action === 'restore'
      ? 'the gate will restore it first; all of this is how the database is now'
      : 'the gate cannot restore it now';
  return [`restores:  ${restores} (TT_RESTORE_FROM): ${will}`];
}

/** The interrupted restore, if its journal can be read. */
function restore({ state }: Assessment): readonly string[] {
  return state.kind === 'interrupted' && state.journal.says !== null ? [`restore:   ${state.journal.says}`] : [];
}

/** The revision that the gate would adopt. */
function identity({ state }: Assessment): readonly string[] {
  if (state.kind !== 'unversioned' || state.identity.kind === 'none') return [];
  return describeMatch(state.identity).map((line, index) => `${index === 0 ? 'adopts:    ' : '           '}${line}`);
}

function banner(report: StateReport, { plan, obstacle }: Assessment, commands: Commands): string {
  const database = report.database ?? '';
  const refused = plan.kind === 'refuse' ? ({ kind: 'refused', database, refusal: plan.refusal } as const) : null;
  const problem = obstacle ?? refused;
  if (problem === null || report.action === 'restore') return '';
  return `\n${renderBanner(describeProblem(problem, commands), report.exitCode)}`;
}

function textOf(texts: readonly string[]): string {
  return `${texts.map(printable).join('\n')}\n`;
}

/** How many names of a kind are listed; `--json` lists all. */
const mostNames = 12;

const headings: readonly (readonly [keyof CatalogChanges, string])[] = [
  ['createdTables', 'tables created'],
  ['droppedTables', 'tables dropped'],
  ['addedColumns', 'columns added'],
  ['droppedColumns', 'columns dropped'],
  ['changedColumns', 'columns changed'],
  ['addedRules', 'constraints and indexes added'],
  ['droppedRules', 'constraints and indexes dropped'],
];

/** A rehearsal for people. The log already has the time of each revision. */
export function renderRehearsal(rehearsal: Rehearsal | null): string {
  if (rehearsal === null) return 'There is nothing to rehearse: the gate would do nothing.\n';
  const { steps, milliseconds, changes, rows } = rehearsal;
  const lines = [
    `rehearsed: ${count(steps.length, 'step')} in ${(milliseconds / 1000).toFixed(1)} s, verified, and rolled back: the database is as it was`,
    ...headings.flatMap(([kind, heading]) => listed(heading, changes[kind])),
    ...Object.entries(rows).map(([table, { before, after }]) => `rows of ${table}: ${before} before, ${after} after`),
  ];
  return `${lines.map(printable).join('\n')}\n`;
}

/** The same where the gate would restore an archive first. */
export function renderRestoreRehearsal(file: string): string {
  return `rehearsed: ${file} was restored into a scratch database, migrated, verified, and dropped: the database is as it was\n`;
}

function listed(heading: string, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const more = names.length > mostNames ? ` and ${names.length - mostNames} more` : '';
  return [`${heading} (${names.length}): ${names.slice(0, mostNames).join(', ')}${more}`];
}
