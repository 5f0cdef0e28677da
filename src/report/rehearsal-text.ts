import type { Rehearsal } from '../operations/rehearse.ts';
import type { CatalogChanges } from '../schema/revision-changes.ts';
import { printable } from '../platform/printable.ts';
import { count } from './format.ts';

/** How many names of a kind are listed; `--json` lists all. */
const shown = 12;

const headings: readonly (readonly [keyof CatalogChanges, string])[] = [
  ['createdTables', 'tables created'],
  ['droppedTables', 'tables gone'],
  ['addedColumns', 'columns added'],
  ['droppedColumns', 'columns gone'],
  ['changedColumns', 'columns changed'],
  ['addedRules', 'constraints and indexes added'],
  ['droppedRules', 'constraints and indexes gone'],
];

/** A rehearsal for people; the time of each revision has been logged by then. */
export function renderRehearsal(rehearsal: Rehearsal | null): string {
  if (rehearsal === null) return 'There is nothing to rehearse: the gate would do nothing.\n';
  const { steps, milliseconds, changes, rows } = rehearsal;
  const lines = [
    `rehearsed: ${count(steps.length, 'step')} in ${(milliseconds / 1000).toFixed(1)} s, verified, and taken back: the database is as it was`,
    ...headings.flatMap(([kind, heading]) => listed(heading, changes[kind])),
    ...Object.entries(rows).map(([table, { before, after }]) => `rows of ${table}: ${before} before, ${after} after`),
  ];
  return `${lines.map(printable).join('\n')}\n`;
}

/** The same where the gate would restore an archive first. */
export function renderRestoreRehearsal(file: string): string {
  return `rehearsed: ${file} was restored beside the database, brought to the head, verified, and thrown away: the database is as it was\n`;
}

function listed(heading: string, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const more = names.length > shown ? ` and ${names.length - shown} more` : '';
  return [`${heading} (${names.length}): ${names.slice(0, shown).join(', ')}${more}`];
}
