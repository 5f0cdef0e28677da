/**
 * SQL for the oid of the application's schema: `current_schema()`, the first schema of the search path that exists and
 * that the role may use (PostgreSQL manual, "The Schema Search Path"). NULL if there is none.
 *
 * Every session of db-init sets its search path to that schema alone (`prepareSession`), so unqualified names are found
 * only there.
 */
export const currentSchema = '(SELECT oid FROM pg_namespace WHERE nspname = current_schema())';

/** Regular expression (SQL) for the schemas that db-init creates: quarantine, kept before a restore, being restored. */
export const ownSchemas = '^tt_(quarantine|before|restore)_';

/**
 * SQL for whether the application shares its database: its schema is not `public`, and other schemas hold relations.
 * Such a database must not be dumped or swapped as a whole. An application in `public` counts as the only one.
 */
export const sharesDatabase = `(current_schema() <> 'public' AND EXISTS (
  SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname <> current_schema()
    AND n.nspname !~ '${ownSchemas}' AND n.nspname !~ '^(pg_|information_schema$)'
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                    AND d.deptype = 'e')))`;
