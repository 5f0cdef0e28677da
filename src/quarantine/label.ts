import { quoteText } from '../platform/sql-quoting.ts';
import { optionalText, text } from '../database/row-values.ts';
import type { Session } from '../database/session.ts';
import { quarantineNameAt } from './names.ts';

/**
 * The label of a quarantine schema, stored as its comment. It shows whether a quarantine was interrupted: an
 * `unfinished` one can continue in either direction; of a `purging` one, some objects are deleted already.
 */
export interface Label {
  readonly by: 'db-init';
  readonly state: 'unfinished' | 'complete' | 'purging';
  /** When it began: `2026-01-02T03:04:05Z`. */
  readonly at: string;
  readonly why: string;
  /** The number of moved relations, and of their rows as far as known. */
  readonly relations: number;
  readonly rows: number;
  /** Set if it holds rows as text instead of moved relations. */
  readonly holds?: 'rows';
}

export interface QuarantineSchema {
  readonly name: string;
  readonly label: Label;
}

/** All quarantine schemas of the database, the latest first. A schema without our label is not a quarantine. */
export async function readSchemas(session: Session): Promise<readonly QuarantineSchema[]> {
  const rows = await session.query(
    `SELECT nspname::text AS name, obj_description(oid, 'pg_namespace') AS comment
     FROM pg_namespace WHERE nspname ~ '^tt_quarantine_[a-z0-9_]+$' ORDER BY nspname DESC`,
  );
  const found = rows.flatMap((row) => {
    const label = readLabel(optionalText(row, 'comment'));
    return label === null ? [] : [{ name: text(row, 'name'), label }];
  });
  // names may contain local times, and one hour a year occurs twice
  return found.toSorted((one, other) => other.label.at.localeCompare(one.label.at));
}

/** Creates an empty quarantine schema. Its name is the time; a second one within the second gets a number. */
export async function createSchema(session: Session, why: string): Promise<QuarantineSchema> {
  const now = new Date();
  const [row = {}] = await session.query(
    `SELECT name FROM generate_series(1, 1000) AS number,
       concat('${quarantineNameAt(now)}', '_' || nullif(number, 1)) AS name
     WHERE to_regnamespace(name) IS NULL ORDER BY number LIMIT 1`,
  );
  const name = text(row, 'name');
  await session.run(`CREATE SCHEMA ${name}`);
  return {
    name,
    label: { by: 'db-init', state: 'unfinished', at: `${now.toISOString().slice(0, 19)}Z`, why, relations: 0, rows: 0 },
  };
}

/** Writes the label of a quarantine, which is the comment of its schema. */
export async function writeLabel(session: Session, { name, label }: QuarantineSchema): Promise<void> {
  await session.run(`COMMENT ON SCHEMA ${name} IS ${quoteText(JSON.stringify(label))}`);
}

function readLabel(comment: string | null): Label | null {
  if (comment === null || !comment.startsWith('{')) return null;
  try {
    const label: unknown = JSON.parse(comment);
    return isLabel(label) ? label : null;
  } catch {
    return null;
  }
}

function isLabel(value: unknown): value is Label {
  if (typeof value !== 'object' || value === null) return false;
  const label: Partial<Record<keyof Label, unknown>> = value;
  return (
    label.by === 'db-init' &&
    (label.state === 'unfinished' || label.state === 'complete' || label.state === 'purging') &&
    typeof label.at === 'string' &&
    typeof label.why === 'string' &&
    typeof label.relations === 'number' &&
    typeof label.rows === 'number' &&
    (label.holds === undefined || label.holds === 'rows')
  );
}
