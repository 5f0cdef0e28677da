import type { Identity } from '../model/state.ts';
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
