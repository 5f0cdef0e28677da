import { ownSchemas } from '../current-schema.ts';
import { text } from '../row-values.ts';
import type { Session } from '../session.ts';

/**
 * Finds the other schemas that have a table of this name with most of these columns, and rows in it. A schema with a
 * version table of its own is another installation. The size is used, because the role may not be allowed to read the rows.
 */
export async function findTableElsewhere(
  session: Session,
  table: string,
  columns: readonly string[],
): Promise<readonly string[]> {
  const rows = await session.query(
    `SELECT n.nspname::text AS schema FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relname = $1 AND c.relkind IN ('r', 'p') AND (c.relkind = 'p' OR pg_relation_size(c.oid) > 0)
       AND n.nspname <> current_schema() AND n.nspname !~ '${ownSchemas}' AND n.nspname !~ '^(pg_|information_schema$)'
       AND NOT EXISTS (SELECT FROM pg_class v WHERE v.relnamespace = n.oid AND v.relname = 'alembic_version')
       AND (SELECT count(*) * 2 > json_array_length($2::json) FROM pg_attribute a
            WHERE a.attrelid = c.oid AND NOT a.attisdropped AND a.attname::text IN (SELECT json_array_elements_text($2::json)))
     ORDER BY 1`,
    [table, JSON.stringify(columns)],
  );
  return rows.map((row) => text(row, 'schema'));
}
