import type { MissingRight } from '../../model/database-facts.ts';
import type { Row } from '../../model/engine.ts';
import type pg from 'pg';
import { currentSchema } from '../current-schema.ts';
import type { PlannedWrites } from '../database.ts';
import { flag, only, optionalText, text } from '../row-values.ts';

/** Finds the rights that the role lacks, without writing anything. */
export async function findMissingRights(client: pg.Client, planned: PlannedWrites): Promise<readonly MissingRight[]> {
  const { rows } = await client.query<Record<string, unknown>>(
    `SELECT quote_ident(current_user) AS role, quote_ident(current_database()) AS database,
            quote_ident(current_schema()) AS schema,
            coalesce(has_schema_privilege(${currentSchema}, 'CREATE'), false) AS may_create,
            (SELECT json_build_object('name', quote_ident(name),
                                      'there', EXISTS (SELECT FROM pg_namespace WHERE nspname = name))
             FROM (SELECT btrim(part, ' "') AS name, position
                   FROM unnest(string_to_array(current_setting('search_path') || ',public', ','))
                        WITH ORDINALITY AS path (part, position)) AS path
             WHERE name NOT IN ('', '$user') ORDER BY position LIMIT 1)::text AS wanted,
            has_database_privilege(current_database(), 'CREATE') AS may_create_schemas,
            to_json(ARRAY(
                  SELECT quote_ident(c.relname) FROM pg_class c
                  WHERE c.relnamespace = ${currentSchema} AND c.relname = ANY ($1)
                    AND NOT pg_has_role(c.relowner, 'USAGE') ORDER BY 1))::text AS not_owned,
            to_json(ARRAY(
                  SELECT quote_ident(c.relname) FROM pg_class c
                  WHERE c.relnamespace = ${currentSchema} AND (c.relname = ANY ($1) OR c.relname = 'alembic_version')
                    AND pg_has_role(c.relowner, 'USAGE') AND row_security_active(c.oid) ORDER BY 1))::text AS filtered`,
    [planned.alters],
  );
  const row = only(rows);
  const role = text(row, 'role');
  const missing: MissingRight[] = [];
  const schema = optionalText(row, 'schema');
  if (schema === null) {
    missing.push(schemaToUse(JSON.parse(text(row, 'wanted')), role));
  } else if (!flag(row, 'may_create')) {
    // since PostgreSQL 15 only the owner of the database has this right on `public`
    missing.push({
      action: { kind: 'create-tables', schema },
      remedy: `GRANT CREATE ON SCHEMA ${schema} TO ${role};`,
    });
  }
  if (planned.quarantines && !flag(row, 'may_create_schemas')) {
    missing.push({
      action: { kind: 'create-schema' },
      remedy: `GRANT CREATE ON DATABASE ${text(row, 'database')} TO ${role};`,
    });
  }
  const notOwned: unknown = JSON.parse(text(row, 'not_owned'));
  for (const table of Array.isArray(notOwned) ? notOwned : []) {
    missing.push({
      action: { kind: 'alter', table: String(table) },
      remedy: `ALTER TABLE ${schema ?? 'public'}.${String(table)} OWNER TO ${role};`,
    });
  }
  const filtered: unknown = JSON.parse(text(row, 'filtered'));
  for (const table of Array.isArray(filtered) ? filtered : []) {
    missing.push({
      action: { kind: 'read-all-rows', table: String(table) },
      remedy: `ALTER TABLE ${schema ?? 'public'}.${String(table)} NO FORCE ROW LEVEL SECURITY;`,
    });
  }
  return missing;
}

/**
 * The missing right if there is no current schema: the first schema of the search path is missing, or the role lacks
 * the USAGE right on it.
 */
function schemaToUse(wanted: unknown, role: string): MissingRight {
  const row: Row = typeof wanted === 'object' && wanted !== null ? { ...wanted } : {};
  const schema = text(row, 'name');
  const exists = flag(row, 'there');
  return {
    action: { kind: 'use-schema', schema, exists },
    remedy: exists
      ? `GRANT USAGE, CREATE ON SCHEMA ${schema} TO ${role};`
      : `CREATE SCHEMA ${schema} AUTHORIZATION ${role};`,
  };
}
