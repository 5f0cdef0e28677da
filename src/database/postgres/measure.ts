import { versionTable } from '../../model/catalog.ts';
import type { MeasuredObject, Measurement } from '../../model/measurement.ts';
import type { Row } from '../../model/engine.ts';
import { quoteName } from '../../platform/sql-quoting.ts';
import { flag, number, only, optionalText, text } from '../row-values.ts';
import type { Session } from '../session.ts';

/** Fixes the settings that change how rows are printed as text. */
const outputSettings = `SET LOCAL TimeZone TO UTC; SET LOCAL IntervalStyle TO postgres; SET LOCAL bytea_output TO hex;
  SET LOCAL extra_float_digits TO 1`;

/**
 * The query for all objects of the owner and of the application, each with a digest of its definition. It omits objects
 * of extensions, which the extension creates again, and positions of sequences, which a crash of the server changes.
 */
const definitions = `
  WITH spaces AS (
    SELECT oid FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND ($1::text IS NULL OR nspname = $1)
  ), extended AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e'), relations AS (
    SELECT c.*, c.oid::regclass::text AS name FROM pg_class c
    WHERE relnamespace IN (SELECT oid FROM spaces) AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
      AND (('pg_class'::regclass, c.oid) NOT IN (SELECT classid, objid FROM extended))
  ), parts AS (
    SELECT oid AS relation, concat_ws(' ', relkind, relpersistence, relrowsecurity, relforcerowsecurity, relowner, relacl,
                                      reloptions) AS part FROM relations
    UNION ALL
    SELECT r.oid, concat_ws(' ', 'column', attname, format_type(atttypid, atttypmod), attnotnull, attidentity,
                            attgenerated, attacl, pg_get_expr(adbin, adrelid))
    FROM relations r JOIN pg_attribute ON attrelid = r.oid AND attnum > 0 AND NOT attisdropped
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    UNION ALL
    SELECT r.oid, concat_ws(' ', 'constraint', conname, pg_get_constraintdef(k.oid), convalidated)
    FROM relations r JOIN pg_constraint k ON conrelid = r.oid
    UNION ALL
    SELECT r.oid, concat_ws(' ', pg_get_indexdef(indexrelid), indisvalid) FROM relations r JOIN pg_index ON indrelid = r.oid
    UNION ALL
    SELECT r.oid, concat_ws(' ', pg_get_triggerdef(t.oid), tgenabled)
    FROM relations r JOIN pg_trigger t ON tgrelid = r.oid AND NOT tgisinternal
    UNION ALL
    SELECT r.oid, concat_ws(' ', pg_get_ruledef(w.oid), ev_enabled) FROM relations r JOIN pg_rewrite w ON ev_class = r.oid
    UNION ALL
    SELECT r.oid, concat_ws(' ', 'policy', polname, polcmd, polpermissive, polroles, pg_get_expr(polqual, polrelid),
                            pg_get_expr(polwithcheck, polrelid))
    FROM relations r JOIN pg_policy ON polrelid = r.oid
  ), digests AS (
    SELECT relation, md5(string_agg(part, E'\\n' ORDER BY part COLLATE "C")) AS definition FROM parts GROUP BY relation
  )
  SELECT CASE relkind WHEN 'r' THEN '' WHEN 'p' THEN '' WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view '
                      WHEN 'f' THEN 'foreign table ' ELSE 'sequence ' END || name AS object,
         CASE WHEN relkind = 'r' OR (relkind = 'm' AND relispopulated) THEN name END AS holder,
         definition
  FROM relations JOIN digests ON relation = oid
  UNION ALL
  SELECT 'function ' || p.oid::regprocedure, NULL, md5(p::text) FROM pg_proc p
  WHERE pronamespace IN (SELECT oid FROM spaces)
    AND (('pg_proc'::regclass, p.oid) NOT IN (SELECT classid, objid FROM extended))
  UNION ALL
  SELECT 'type ' || t.oid::regtype, NULL,
         md5(concat_ws(' ', t::text, (SELECT string_agg(enumlabel, ' ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid),
                       (SELECT string_agg(pg_get_constraintdef(k.oid), ' ' ORDER BY conname) FROM pg_constraint k WHERE contypid = t.oid)))
  FROM pg_type t
  WHERE typnamespace IN (SELECT oid FROM spaces) AND typtype IN ('e', 'd', 'r')
    AND (('pg_type'::regclass, t.oid) NOT IN (SELECT classid, objid FROM extended))`;

/**
 * Measures a database, including all of its rows.
 * @param schema the only schema to measure; null for the whole database
 */
export async function measureSchemas(session: Session, schema: string | null): Promise<Measurement> {
  // the search path decides whether names in definitions are printed with their schema
  if (schema !== null) await session.run(`SET LOCAL search_path TO ${quoteName(schema)}`);
  await session.run(outputSettings);
  const objects: Record<string, MeasuredObject> = {};
  for (const row of await session.query(definitions, [schema])) {
    const holder = optionalText(row, 'holder');
    const held = holder === null ? { rows: null, content: null } : await measureRows(session, holder);
    objects[text(row, 'object')] = { ...held, definition: text(row, 'definition') };
  }
  return { revisions: await revisionsIn(session), file: null, objects };
}

/** Counts and digests the rows of a relation. @param relation its name, quoted if needed */
async function measureRows(session: Session, relation: string): Promise<Pick<MeasuredObject, 'rows' | 'content'>> {
  const measured = (row: Row): Pick<MeasuredObject, 'rows' | 'content'> => ({
    rows: number(row, 'rows'),
    content: optionalText(row, 'content'),
  });
  await session.run('SAVEPOINT measure');
  try {
    const digest = `sum(hashtextextended(t::text COLLATE "C", 0))::text`;
    return measured(only(await session.query(`SELECT count(*) AS rows, ${digest} AS content FROM ONLY ${relation} t`)));
  } catch {
    // a row may be too large to be converted to text: then only the number of rows is measured
    await session.run('ROLLBACK TO SAVEPOINT measure');
    return measured(only(await session.query(`SELECT count(*) AS rows, NULL AS content FROM ONLY ${relation}`)));
  }
}

async function revisionsIn(session: Session): Promise<readonly string[]> {
  const there = only(await session.query(`SELECT to_regclass($1) IS NOT NULL AS there`, [versionTable]));
  if (!flag(there, 'there')) return [];
  const rows = await session.query(`SELECT version_num::text AS revision FROM ${versionTable} ORDER BY 1`);
  return rows.map((row) => text(row, 'revision'));
}
