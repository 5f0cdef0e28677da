import type { ExactValue } from '../../database/sqlite/row-reader.ts';
import type { Misfits } from '../../model/transfer.ts';
import type { Engine } from '../../model/engine.ts';
import { Failure } from '../../errors/failure.ts';
import { namesSecret } from '../../database/secret-columns.ts';

/** The number of example rows that are shown for each reason. */
const shown = 3;
/** The number of characters that are shown of a value or a key. */
const shownLength = 40;

/** How both directions load rows. */
export interface LoadOptions {
  /** Whether rows may be set aside. */
  readonly setAside: boolean;
  /** The names of the database and of the file, for messages. */
  readonly database: string;
  readonly archive: string;
  readonly signal: AbortSignal;
}

/** The refusal to load rows that do not fit into a database of this engine. */
export function rowsDoNotFit(engine: Engine, misfits: readonly Misfits[], { database, archive }: LoadOptions): Failure {
  return new Failure({
    kind: 'restore-refused',
    database,
    obstacle: { kind: 'rows-do-not-fit', engine, archive, misfits },
  });
}

/** A value for a report; null if it may be a secret. */
export function shownValue(table: string, columns: readonly string[], value: string | null): string | null {
  if (table === 'settings' || columns.some(namesSecret)) return null;
  return value === null ? 'NULL' : shortened(value);
}

export function shortened(text: string): string {
  const characters = Array.from(text.slice(0, 2 * shownLength + 2));
  return characters.length > shownLength ? `${characters.slice(0, shownLength).join('')}…` : text;
}

/** A value of SQLite as text; bytes that are not text in hexadecimal, as PostgreSQL writes them. */
export function textOf(value: ExactValue): string | null {
  if (value === null) return null;
  return Buffer.isBuffer(value) || (typeof value === 'string' && value.includes('\0'))
    ? `\\x${Buffer.from(value).toString('hex')}`
    : String(value);
}

type Kind = Omit<Misfits, 'rows' | 'examples'>;

/** Counts the rows that do not fit, by table, columns and rule. */
export interface MisfitLedger {
  add(kind: Kind, rows: number, examples: Misfits['examples']): void;
  /** Whether one more example would be shown. */
  wants(kind: Kind): boolean;
  readonly found: readonly Misfits[];
}

export function openMisfits(): MisfitLedger {
  const all = new Map<string, Misfits>();
  const keyOf = ({ table, columns, rule, promised }: Kind): string => JSON.stringify([table, columns, rule, promised]);
  return {
    add(kind, rows, examples) {
      const before = all.get(keyOf(kind)) ?? { ...kind, rows: 0, examples: [] };
      const together = { rows: before.rows + rows, examples: [...before.examples, ...examples].slice(0, shown) };
      all.set(keyOf(kind), { ...before, ...together });
    },
    wants: (kind) => (all.get(keyOf(kind))?.examples.length ?? 0) < shown,
    get found() {
      return [...all.values()];
    },
  };
}
