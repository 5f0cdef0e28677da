import { Failure } from '../errors/failure.ts';

/** What a quarantine holds, on either engine. Sizes are bytes. */
export interface Held {
  /** What `restore` and `purge` call it: a schema's or a file's name. */
  readonly name: string;
  /** When it began: `2026-01-02T03:04:05Z`. */
  readonly since: string;
  readonly state: 'unfinished' | 'complete' | 'purging';
  readonly why: string;
  /** Null where it cannot be read, as in a damaged file. */
  readonly relations: number | null;
  readonly rows: number | null;
  /** Whether rows were counted; else they are estimates. */
  readonly counted: boolean;
  readonly bytes: number;
  readonly contents: readonly HeldThing[];
}

/** A relation or a type in quarantine. */
export interface HeldThing {
  readonly name: string;
  readonly kind: string;
  /** Null for what has none, and where the database keeps no estimate. */
  readonly rows: number | null;
  readonly bytes: number | null;
}

/**
 * Picks a quarantine by its name.
 * @throws Failure `quarantine-refused` (`not-held`) that names what there is
 */
export function pick<Entry extends { readonly name: string }>(
  entries: readonly Entry[],
  name: string,
  database: string,
): Entry {
  const found = entries.find((entry) => entry.name === name);
  if (found !== undefined) return found;
  const held = entries.map((entry) => entry.name);
  throw new Failure({ kind: 'quarantine-refused', database, obstacle: { kind: 'not-held', name, held } });
}
