import type { State } from '../model/state.ts';
import { untouched } from './next-steps.ts';
import type { Notice } from './banner.ts';
import type { Commands } from './commands.ts';
import { count } from './format.ts';

/** What the seed has added, for people: a line a table. */
export function renderCounts(counts: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counts);
  const all = entries.reduce((sum, [, number]) => sum + number, 0);
  const name = Math.max(...entries.map(([table]) => table.length));
  const digits = String(all).length;
  return [
    ...entries.map(([table, number]) => `  ${table.padEnd(name)}  ${String(number).padStart(digits)}`),
    all === 0 ? 'Everything was there already: nothing was added.' : `${count(all, 'row')} added.`,
    '',
  ].join('\n');
}

/** Why no development data was added. */
export function describeSeedRefusal(database: string, state: State['kind'], commands: Commands): Notice {
  return {
    title: `Development data is only added to a current database: ${database}`,
    happened: [`The state of this one is "${state}".`],
    safe: untouched,
    options: [
      `Run the gate first: it brings the database to the head, or says what stands in the way.\n${commands.gate}`,
      `See what is wrong.\n${commands.status}`,
    ],
  };
}

export function describeAdded(table: string, rows: number): string {
  return `  ${table}: ${rows} added`;
}
