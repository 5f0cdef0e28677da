import { coreTables, versionTable } from '../../model/catalog.ts';
import { generated, someDefault } from '../../model/database-facts.ts';
import { currentSchema, ownSchemas } from '../current-schema.ts';
import { ledgerPattern, furtherLedgers } from '../foreign-migration-tables.ts';

/**
 * All queries read pg_catalog, not information_schema, which also lists objects of extensions and hides objects that
 * the role has no rights on. Names are compared as they are stored, so upper and lower case differ.
 */
export const relationsQuery = `
  SELECT c.relname AS name, c.relkind AS kind, CASE WHEN c.reltuples >= 0 THEN c.reltuples::int8 END AS rows
  FROM pg_class c
  WHERE c.relnamespace = ${currentSchema} AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                    AND (d.deptype = 'e' OR (c.relkind = 'S' AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0)))
  ORDER BY c.relname`;

/**
 * How defaults are read. The server needs as long to print their text as for all the other queries together. With
 * `presence` it prints only the defaults of columns with a foreign key or a check.
 */
export type Defaults = 'text' | 'presence';

/**
 * One row for each table: its columns as the text of a JSON array of `[name, type, not null, default]`, where the
 * default is `identity`, one of `generated`, `someDefault` or null, and the texts of defaults by the names of their
 * columns.
 */
export const columnsQuery = (defaults: Defaults): string => `
  SELECT c.relname AS table,
         coalesce(json_agg(json_build_array(a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
           CASE WHEN a.attidentity <> '' THEN 'identity' WHEN a.attgenerated = 's' THEN '${generated.stored}'
                WHEN a.attgenerated <> '' THEN '${generated.virtual}' WHEN d.oid IS NOT NULL THEN '${someDefault}' END)
           ORDER BY a.attnum) FILTER (WHERE a.attnum > 0), '[]')::text AS columns,
         json_object_agg(a.attname, pg_get_expr(d.adbin, d.adrelid))
           FILTER (WHERE d.oid IS NOT NULL AND a.attidentity = '' AND a.attgenerated = ''${defaults === 'text' ? '' : ' AND k.conrelid IS NOT NULL'}) AS defaults
  FROM pg_class c
  LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
  LEFT JOIN (SELECT DISTINCT conrelid, unnest(conkey) AS attnum FROM pg_constraint WHERE contype IN ('f', 'c')) AS k
    ON k.conrelid = d.adrelid AND k.attnum = d.adnum
  WHERE c.relnamespace = ${currentSchema} AND c.relkind IN ('r', 'p')
  GROUP BY c.oid, c.relname ORDER BY c.relname`;

// PostgreSQL 18 also lists NOT NULL constraints (contype n); columnsQuery reads those already
export const constraintsQuery = `
  SELECT c.relname AS table, json_object_agg(k.conname, pg_get_constraintdef(k.oid) ORDER BY k.conname) AS constraints
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
  WHERE c.relnamespace = ${currentSchema} AND c.relkind IN ('r', 'p')
    AND k.contype IN ('p', 'u', 'f', 'c', 'x')
  GROUP BY c.oid, c.relname`;

// pg_get_indexdef() takes longer than all the other queries together: it is called only for expressions and sort orders
const indexedColumns = `
  CASE WHEN x.indexprs IS NULL AND x.indoption::text !~ '[1-9]'
    THEN CASE WHEN x.indnatts = 1
         THEN (SELECT quote_ident(a.attname) FROM pg_attribute a WHERE a.attrelid = x.indrelid AND a.attnum = x.indkey[0])
         ELSE (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY k.position)
               FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS k (number, position)
               JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.number) END
    ELSE substring(pg_get_indexdef(i.oid) FROM ' USING \\w+ \\((.*?)\\)(?: WHERE |$)') END`;

/** One row for each table with indexes: a JSON object of them by name, without those of constraints. */
export const indexesQuery = `
  SELECT c.relname AS table, json_object_agg(i.relname, json_build_object(
           'definition', concat(CASE WHEN x.indisunique THEN 'UNIQUE ' END, m.amname, ' (', ${indexedColumns}, ')',
                                ' WHERE ' || pg_get_expr(x.indpred, x.indrelid)),
           'valid', x.indisvalid) ORDER BY i.relname) AS indexes
  FROM pg_index x
  JOIN pg_class c ON c.oid = x.indrelid
  JOIN pg_class i ON i.oid = x.indexrelid
  JOIN pg_am m ON m.oid = i.relam
  WHERE c.relnamespace = ${currentSchema} AND c.relkind IN ('r', 'p')
    AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.oid AND k.contype IN ('p', 'u', 'x'))
  GROUP BY c.oid, c.relname`;

/** One row for each label of an enum type, in the order of the labels. */
export const enumsQuery = `
  SELECT t.typname AS name, e.enumlabel AS value
  FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid
  WHERE t.typnamespace = ${currentSchema}
  ORDER BY t.typname, e.enumsortorder`;

/** Types that were created by CREATE TYPE or CREATE DOMAIN, without those of extensions. */
export const typesQuery = `
  SELECT t.typname AS name FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
  WHERE t.typnamespace = ${currentSchema} AND (t.typtype IN ('e', 'd', 'r') OR c.relkind = 'c')
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
  ORDER BY t.typname`;

/** The tables on which the role lacks the SELECT right. */
export const unreadableQuery = `
  SELECT c.relname AS table FROM pg_class c
  WHERE c.relnamespace = ${currentSchema} AND c.relkind IN ('r', 'p') AND NOT has_table_privilege(c.oid, 'SELECT')`;

const quoted = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(', ');

/** The tables of other migration tools in all schemas, except the schemas that db-init creates. */
export const foreignLedgersQuery = `
  SELECT n.nspname || '.' || c.relname AS name
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND (c.relname ~* '${ledgerPattern}' OR lower(c.relname) IN (${quoted(furtherLedgers)}))
    AND n.nspname !~ '${ownSchemas}' AND n.nspname !~ '^(pg_|information_schema$)'
  ORDER BY 1`;

/**
 * The current schema, the other schemas that hold TimeTracker's tables (the version table with a core table, or more
 * than half of the core tables), and those of them that the role may not use. A single table `users` may belong to any
 * application.
 */
export const placeQuery = `
  WITH n AS (
    SELECT n.nspname::text AS name, has_schema_privilege(n.oid, 'USAGE') AS usable
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND c.relname IN (${quoted([...coreTables, versionTable])})
      AND n.nspname IS DISTINCT FROM current_schema() AND n.nspname !~ '${ownSchemas}' AND n.nspname !~ '^pg_'
    GROUP BY n.oid, n.nspname
    HAVING count(*) > 1 AND bool_or(c.relname = '${versionTable}') OR count(*) > ${Math.floor(coreTables.length / 2)})
  SELECT current_schema() AS schema, to_json(ARRAY(SELECT name FROM n ORDER BY name)) AS elsewhere,
         to_json(ARRAY(SELECT name FROM n WHERE NOT usable ORDER BY name)) AS forbidden`;

/** The version rows, NULL as an empty text; fails if there is no version table. */
export const versionRowsQuery = `SELECT coalesce(version_num::text, '') AS version_num FROM alembic_version ORDER BY 1`;
export const noRowsQuery = 'SELECT 1 WHERE false';
