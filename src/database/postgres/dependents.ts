import { hasCode } from '../../errors/error-code.ts';
import { reasonOf } from '../../errors/failure.ts';
import { only, optionalText, text } from '../row-values.ts';
import { quoteName } from '../../platform/sql-quoting.ts';
import type { Session } from '../session.ts';

const dependentObjectsStillExist = '2BP01';

/** An object that remains depends on an object that should be dropped. Nothing was dropped. */
export class DependentObjectsError extends Error {
  override readonly name = 'DependentObjectsError';
  /** One line per dependent object, in the server's words. */
  readonly dependents: readonly string[];

  constructor(dependents: readonly string[], options?: ErrorOptions) {
    super(`something else depends on it: ${dependents.join(', ')}`, options);
    this.dependents = dependents;
  }
}

/** Parses the server's refusal to drop an object (RESTRICT); null for any other error. */
export function asDependentObjectsError(error: unknown): DependentObjectsError | null {
  if (!hasCode(error, dependentObjectsStillExist)) return null;
  const lines =
    error instanceof Error && 'detail' in error && typeof error.detail === 'string'
      ? error.detail.split('\n')
      : [reasonOf(error)];
  return new DependentObjectsError(lines, { cause: error });
}

/**
 * Locks tables of a schema until the transaction ends: other sessions can neither write to them nor create objects that
 * depend on them.
 * @param names the tables to lock; null for all
 */
export async function lockTables(session: Session, schema: string, names: readonly string[] | null): Promise<void> {
  // ONLY: inheriting tables in other schemas are not TimeTracker's
  const row = only(
    await session.query(
      `SELECT string_agg(format('ONLY %I.%I', nspname, relname), ', ') AS tables
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname = $1 AND c.relkind IN ('r', 'p')
         AND ($2::json IS NULL OR c.relname::text IN (SELECT json_array_elements_text($2::json)))`,
      [schema, names === null ? null : JSON.stringify(names)],
    ),
  );
  const tables = optionalText(row, 'tables');
  if (tables !== null) await session.run(`LOCK TABLE ${tables} IN ACCESS EXCLUSIVE MODE`);
}

/**
 * Finds the objects outside a schema that depend on objects in it, in the server's words. Objects that the server
 * creates and drops automatically, such as the functions of a range type, do not count.
 */
export async function findDependents(session: Session, schema: string): Promise<readonly string[]> {
  const rows = await session.query(
    `WITH inside AS (
       SELECT 'pg_class'::regclass AS class, c.oid
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1
       UNION ALL
       SELECT 'pg_type'::regclass, t.oid FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = $1
       UNION ALL
       SELECT 'pg_proc'::regclass, p.oid FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = $1
     ), related AS (
       SELECT d.* FROM pg_depend d JOIN inside i ON d.refclassid = i.class AND d.refobjid = i.oid
     )
     SELECT DISTINCT regexp_replace(pg_describe_object(classid, objid, objsubid), '^rule "?_RETURN"? on ', '') AS dependent
     FROM related r
     WHERE (deptype = 'n' OR deptype = 'a' AND classid = 'pg_class'::regclass
            AND EXISTS (SELECT FROM pg_class c WHERE c.oid = objid AND c.relispartition))
       AND coalesce((pg_identify_object(classid, objid, objsubid)).schema,
                    (SELECT n.nspname::text FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
                     WHERE r.classid = 'pg_constraint'::regclass AND k.oid = r.objid),
                    (pg_identify_object_as_address(classid, objid, objsubid)).object_names[1]) IS DISTINCT FROM $1
       AND NOT EXISTS (SELECT FROM pg_depend own WHERE own.classid = r.classid AND own.objid = r.objid
                       AND own.deptype = 'i' AND own.refclassid = 'pg_type'::regclass)
     ORDER BY dependent`,
    [schema],
  );
  return rows.map((row) => text(row, 'dependent'));
}

/**
 * Drops a schema with its contents, and nothing outside it. Must be called within a transaction.
 * @throws DependentObjectsError if an object outside depends on an object in it
 */
export async function dropSchema(session: Session, schema: string): Promise<void> {
  await lockTables(session, schema, null);
  const dependents = await findDependents(session, schema);
  if (dependents.length > 0) throw new DependentObjectsError(dependents);
  await session.run(`DROP SCHEMA IF EXISTS ${quoteName(schema)} CASCADE`);
}
