import { quoteText } from '../database/quoting.ts';
import { optionalText, text } from '../database/rows.ts';
import type { Session } from '../database/session.ts';
import { timeInName } from '../platform/local-time.ts';

/**
 * What the comment on a quarantine schema says. It is how a quarantine that was cut off is found again: `unfinished`
 * goes on, in either direction; of what is being purged some is gone already.
 */
export interface Label {
  readonly by: 'db-init';
  readonly state: 'unfinished' | 'complete' | 'purging';
  /** When it began: `2026-01-02T03:04:05Z`. */
  readonly at: string;
  readonly why: string;
  /** How many relations were moved, and how many rows they held as far as that is known. */
  readonly relations: number;
  readonly rows: number;
  /** Set where it holds rows as text, and no relations that were moved. */
  readonly holds?: 'rows';
}

/** A schema that holds what was quarantined. */
export interface QuarantineSchema {
  readonly name: string;
  readonly label: Label;
}

/** All quarantine schemas of the database, the latest first. A schema without our label is somebody else's. */
export async function readSchemas(session: Session): Promise<readonly QuarantineSchema[]> {
  const rows = await session.query(
    `SELECT nspname::text AS name, obj_description(oid, 'pg_namespace') AS comment
     FROM pg_namespace WHERE nspname ~ '^tt_quarantine_[a-z0-9_]+$' ORDER BY nspname DESC`,
  );
  const found = rows.flatMap((row) => {
    const label = readLabel(optionalText(row, 'comment'));
    return label === null ? [] : [{ name: text(row, 'name'), label }];
  });
  // names bear local times, of which an hour comes twice a year
  return found.toSorted((one, other) => other.label.at.localeCompare(one.label.at));
}

/** Creates an empty quarantine schema. Its name is the time; a second one within the second gets a number. */
export async function createSchema(session: Session, why: string): Promise<QuarantineSchema> {
  const now = new Date();
  const [row = {}] = await session.query(
    `SELECT name FROM generate_series(1, 1000) AS number,
       concat('tt_quarantine_${timeInName(now, 't')}', '_' || nullif(number, 1)) AS name
     WHERE to_regnamespace(name) IS NULL ORDER BY number LIMIT 1`,
  );
  const name = text(row, 'name');
  await session.run(`CREATE SCHEMA ${name}`);
  return {
    name,
    label: { by: 'db-init', state: 'unfinished', at: `${now.toISOString().slice(0, 19)}Z`, why, relations: 0, rows: 0 },
  };
}

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
