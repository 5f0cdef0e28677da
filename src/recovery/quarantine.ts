import type { Session } from '../database/session.ts';
import type { Log } from '../report/log.ts';

/**
 * How many relations are moved in one transaction. Each takes several locks, and a server with default settings has
 * room for about 6,400 of them (max_locks_per_transaction × max_connections), which others need as well.
 */
export const quarantineBatch = 300;

/** Why the relations of a schema were moved, as its comment keeps it. */
const why = 'tables were there, but neither alembic_version nor any core table';

interface Moved {
  readonly name: string;
  readonly kind: string;
  readonly rows: number | null;
}

/** What the comment on a quarantine schema says. It is how an unfinished quarantine is found again. */
interface Label {
  readonly by: 'db-init';
  readonly state: 'unfinished' | 'complete';
  readonly at: string;
  readonly why: string;
  readonly relations: number;
  readonly rows: number;
}

/**
 * Moves up to `quarantineBatch` relations of schema public, and with the last of them its free types, to a schema
 * `tt_quarantine_<UTC time>`. Nothing is copied and nothing is dropped: ALTER … SET SCHEMA changes the catalog only,
 * so the size of a table does not matter. What extensions own stays.
 *
 * PostgreSQL only; to be called within a transaction. A quarantine that was cut off goes on in the same schema.
 * @returns how many relations are left to move
 */
export async function quarantineSome(session: Session, log: Log): Promise<number> {
  const { schema, label } = await openQuarantine(session);
  const found = await listRelations(session);
  const moved: Moved[] = [];
  for (const relation of found.slice(0, quarantineBatch)) {
    const rows = await countRows(session, relation);
    await session.run(`ALTER ${relation.kind} public.${relation.quoted} SET SCHEMA ${schema}`);
    moved.push({ name: relation.quoted, kind: relation.kind.toLowerCase(), rows });
  }
  const left = found.length - moved.length;
  if (left === 0) await moveTypes(session, schema);
  await labelQuarantine(session, schema, {
    ...label,
    state: left === 0 ? 'complete' : 'unfinished',
    relations: label.relations + moved.length,
    rows: label.rows + moved.reduce((sum, { rows }) => sum + (rows ?? 0), 0),
  });
  for (const { name, kind, rows } of moved) {
    log.info(
      `  moved ${kind} ${name} to ${schema}${rows === null ? '' : ` (${rows === 1 ? '1 row' : `${rows} rows`})`}`,
      { quarantine: schema, name, rows },
    );
  }
  if (left === 0)
    log.info(`Nothing was dropped. To take a table back: ALTER TABLE ${schema}.<name> SET SCHEMA public;`);
  return left;
}

async function openQuarantine(session: Session): Promise<{ schema: string; label: Label }> {
  const rows = await session.query(
    `SELECT nspname AS name, obj_description(oid, 'pg_namespace') AS comment
     FROM pg_namespace WHERE nspname LIKE 'tt\\_quarantine\\_%' ORDER BY nspname DESC`,
  );
  for (const row of rows) {
    const label = readLabel(row['comment']);
    if (label?.state === 'unfinished') return { schema: String(row['name']), label };
  }
  const [now] = await session.query(
    `SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD"t"HH24MISS') AS suffix, to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS at`,
  );
  const schema = `tt_quarantine_${String(now?.['suffix'])}`;
  await session.run(`CREATE SCHEMA ${schema}`);
  return { schema, label: { by: 'db-init', state: 'unfinished', at: String(now?.['at']), why, relations: 0, rows: 0 } };
}

async function labelQuarantine(session: Session, schema: string, label: Label): Promise<void> {
  await session.run(`COMMENT ON SCHEMA ${schema} IS '${JSON.stringify(label).replaceAll("'", "''")}'`);
}

function readLabel(comment: unknown): Label | null {
  if (typeof comment !== 'string' || !comment.startsWith('{')) return null;
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
    (label.state === 'unfinished' || label.state === 'complete') &&
    typeof label.at === 'string' &&
    typeof label.why === 'string' &&
    typeof label.relations === 'number' &&
    typeof label.rows === 'number'
  );
}

interface FoundRelation {
  /** As SQL writes it: quoted where it needs to be. */
  readonly quoted: string;
  readonly kind: 'TABLE' | 'VIEW' | 'MATERIALIZED VIEW' | 'FOREIGN TABLE' | 'SEQUENCE';
  /** -1 where the server has no estimate. */
  readonly estimate: number;
  readonly small: boolean;
}

// Sequences that a column owns move with their table; indexes, toast tables and row types as well.
const relationsQuery = `
  SELECT quote_ident(c.relname) AS quoted, c.relkind AS kind, c.reltuples AS estimate,
         c.relkind IN ('r', 'm') AND pg_relation_size(c.oid) < 8388608 AS small
  FROM pg_class c
  WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                    AND (d.deptype = 'e' OR (c.relkind = 'S' AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0)))
  ORDER BY c.relname`;

const kinds: Readonly<Record<string, FoundRelation['kind']>> = {
  r: 'TABLE',
  p: 'TABLE',
  v: 'VIEW',
  m: 'MATERIALIZED VIEW',
  f: 'FOREIGN TABLE',
  S: 'SEQUENCE',
};

async function listRelations(session: Session): Promise<readonly FoundRelation[]> {
  return (await session.query(relationsQuery)).map((row) => {
    const kind = kinds[String(row['kind'])];
    if (kind === undefined) throw new Error(`unknown kind of relation: ${String(row['kind'])}`);
    return { quoted: String(row['quoted']), kind, estimate: Number(row['estimate']), small: row['small'] === true };
  });
}

/** Counts what is small, believes the estimate of what is large. */
async function countRows(session: Session, { quoted, kind, estimate, small }: FoundRelation): Promise<number | null> {
  if (kind === 'VIEW' || kind === 'SEQUENCE') return null;
  if (!small) return estimate < 0 ? null : estimate;
  const [row] = await session.query(`SELECT count(*)::int AS rows FROM public.${quoted}`);
  return Number(row?.['rows']);
}

/** Enumerations, domains, composite and range types of their own stand in the way of migrations like tables do. */
async function moveTypes(session: Session, schema: string): Promise<void> {
  const rows = await session.query(`
    SELECT quote_ident(t.typname) AS quoted, t.typtype = 'd' AS domain
    FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
    WHERE t.typnamespace = 'public'::regnamespace AND (t.typtype IN ('e', 'd', 'r') OR c.relkind = 'c')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
    ORDER BY t.typname`);
  for (const row of rows) {
    const kind = row['domain'] === true ? 'DOMAIN' : 'TYPE';
    await session.run(`ALTER ${kind} public.${String(row['quoted'])} SET SCHEMA ${schema}`);
  }
}
