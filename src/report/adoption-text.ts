import type { Identity, State } from '../model/state.ts';
import { describeDifference } from './differences.ts';

type Match = Extract<Identity, { kind: 'match' }>;

/** How many things of a kind are listed; the rest is counted. */
const shown = 10;

/** What an unversioned database is taken for, and what was noticed about it. */
export function describeMatch({ revisions, alike, missing, begun, own }: Match): readonly string[] {
  const others = alike.length === 0 ? '' : ` Nothing in the schema tells it from ${listSets(alike)}.`;
  return [
    `The schema is that of ${listRows(revisions)}.${others}`,
    ...note('Of the next revision this is there already', begun.map(describeDifference)),
    ...note('Missing, to be added at the end', missing.map(describeDifference)),
    ...(own.length === 0 ? [] : [`Of no revision, and left alone: ${list(own)}.`]),
  ];
}

/** The rows of alembic_version as people name them. */
export function listRows(rows: readonly string[], separator = ' with '): string {
  return list(rows.map(legible), separator);
}

/** A damaged database may say anything of any length there. */
function legible(row: string): string {
  return row.length > 100 ? `${row.slice(0, 100)}…` : row;
}

/** Several sets of rows, of which one may be meant. */
export function listSets(sets: readonly (readonly string[])[]): string {
  return list(
    sets.map((rows) => listRows(rows)),
    ' or ',
  );
}

function note(title: string, parts: readonly { readonly object: string }[]): readonly string[] {
  return parts.length === 0 ? [] : [`${title}: ${list(parts.map(({ object }) => object))}.`];
}

function list(names: readonly string[], separator = ', '): string {
  const more = names.length > shown ? [`${names.length - shown} more`] : [];
  return [...names.slice(0, shown), ...more].join(separator);
}

/** What the log and the questions of `adopt` say. @param rows of alembic_version */
export const adoptionMessages = {
  wouldStamp: (rows: readonly string[]): string =>
    `Without --dry-run the database would be stamped ${rows.join(' with ')}.`,
  stamped: (rows: readonly string[]): string =>
    `The database is stamped ${listRows(rows)}. Nothing was migrated: that is what the gate does next.`,
  same: (rows: readonly string[]): string => `The schema is that of ${listRows(rows)}.`,
  compared: (rows: readonly string[]): string => `Compared with ${listRows(rows)}, this is missing or different:`,
  consent: (rows: readonly string[]): string =>
    `The schema is not that of ${listRows(rows)}: later revisions may fail, or build on what is missing.`,
  unknownRevisions: (unknown: readonly string[]): string => `There is no revision "${unknown.join('", "')}".`,
  hasRevisions: (rows: readonly string[]): string =>
    `The database says itself which revision it is at: ${rows.join(', ')}. There is nothing to adopt.`,
  noCoreTable: (state: State['kind']): string =>
    `The database has no core table: it is ${state}, and there is nothing to adopt.`,
};
