import type pg from 'pg';
import type { Intention, MissingRight } from '../database.ts';
import { flag, only, text } from '../rows.ts';

/** Asks PostgreSQL which rights the role lacks. Nothing is written to find out. */
export async function findMissingRights(client: pg.Client, intention: Intention): Promise<readonly MissingRight[]> {
  const { rows } = await client.query<Record<string, unknown>>(
    `SELECT quote_ident(current_user) AS role, quote_ident(current_database()) AS database,
            to_regnamespace('public') IS NOT NULL AS schema_exists,
            coalesce(has_schema_privilege(to_regnamespace('public')::oid, 'CREATE'), false) AS may_create,
            has_database_privilege(current_database(), 'CREATE') AS may_create_schemas,
            to_json(ARRAY(
                  SELECT quote_ident(c.relname) FROM pg_class c
                  WHERE c.relnamespace = to_regnamespace('public') AND c.relname = ANY ($1)
                    AND NOT pg_has_role(c.relowner, 'USAGE') ORDER BY 1))::text AS not_owned`,
    [intention.alters],
  );
  const row = only(rows);
  const role = text(row, 'role');
  const missing: MissingRight[] = [];
  if (!flag(row, 'schema_exists')) {
    missing.push({
      action: 'use schema public: there is none in this database',
      remedy: `CREATE SCHEMA public AUTHORIZATION ${role};`,
    });
  } else if (!flag(row, 'may_create')) {
    // PostgreSQL 15 took this right from everybody but the owner of the database
    missing.push({ action: 'create tables in schema public', remedy: `GRANT CREATE ON SCHEMA public TO ${role};` });
  }
  if (intention.quarantines && !flag(row, 'may_create_schemas')) {
    missing.push({
      action: 'create the schema that holds what is quarantined',
      remedy: `GRANT CREATE ON DATABASE ${text(row, 'database')} TO ${role};`,
    });
  }
  const notOwned: unknown = JSON.parse(text(row, 'not_owned'));
  for (const table of Array.isArray(notOwned) ? notOwned : []) {
    missing.push({
      action: `alter ${String(table)}, which another role owns`,
      remedy: `ALTER TABLE public.${String(table)} OWNER TO ${role};`,
    });
  }
  return missing;
}
