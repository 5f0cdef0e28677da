/**
 * SQL for the oid of the schema that the application works in: its `current_schema()`, the first schema of its search
 * path that is there and that it may use (PostgreSQL manual, "The Schema Search Path"). NULL where there is none.
 *
 * Every session of ours fixes its search path to that schema alone (`settleSession`), so names without a schema are
 * found in it, and nowhere else.
 */
export const currentSchema = '(SELECT oid FROM pg_namespace WHERE nspname = current_schema())';

/** Schemas that db-init makes: what they hold was put aside, or is about to go live. A pattern of SQL. */
export const ownSchemas = '^tt_(quarantine|before|restore)_';

/**
 * SQL for whether the application shares its database: it works in a schema of its own, and others have relations
 * beside it. Such a database is not the application's to be dumped or exchanged as a whole. Who works in `public` has
 * it alone, as far as anybody can tell.
 */
export const sharesDatabase = `(current_schema() <> 'public' AND EXISTS (
  SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname <> current_schema()
    AND n.nspname !~ '${ownSchemas}' AND n.nspname !~ '^(pg_|information_schema$)'
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                    AND d.deptype = 'e')))`;
