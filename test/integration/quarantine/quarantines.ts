import type { QuarantineEntry } from '../../../src/quarantine/entry.ts';
import type { RunResult } from '../../support/run.ts';
import { dbInit } from '../upgrade/release-database.ts';

/** Runs a verb of the command `quarantine`. */
export function quarantine(url: string, ...verb: readonly string[]): Promise<RunResult> {
  return dbInit(['quarantine', ...verb], url);
}

/** The output of `quarantine list --json`. */
export async function held(
  url: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<readonly QuarantineEntry[]> {
  const { stdout } = await dbInit(['quarantine', 'list', '--json'], url, environment);
  const told: unknown = JSON.parse(stdout);
  const list: unknown = typeof told === 'object' && told !== null ? Reflect.get(told, 'quarantines') : null;
  if (!isList(list)) throw new TypeError('the list is no list');
  return list;
}

// The tests check the form of the entries.
const isList = (value: unknown): value is readonly QuarantineEntry[] => Array.isArray(value);

/** The one entry of a list that has exactly one. */
export function only<Entry>(entries: readonly Entry[]): Entry {
  const [entry] = entries;
  if (entry === undefined || entries.length > 1) throw new Error(`there are ${entries.length}`);
  return entry;
}
