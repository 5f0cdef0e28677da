import { versionTable } from '../../model/catalog.ts';
import { activeRowSecurity, collationVersion, sessionEncoding } from '../../model/database-facts.ts';
import { currentSchema } from '../current-schema.ts';
import type { Depth } from '../database.ts';

// Queries for objects attached to tables, and for settings of the database. Each object is one row, with the statement
// that removes it. None of them belongs to the application: no revision creates a trigger, a rule or a policy.

const schema = currentSchema;
const tables = `c.relnamespace = ${schema} AND c.relkind IN ('r', 'p')`;

/**
 * What the queries below share, because the server needs longer to plan them than to run them: the tables; the sequences
 * that belong to columns of tables; the settings in force for this role and database, each with the statement that
 * removes it.
 */
const shared = `
  own AS MATERIALIZED (
    SELECT c.oid, c.relname, c.relkind, c.relpersistence, c.relrowsecurity, c.reloptions, c.relreplident, c.relhasrules
    FROM pg_class c WHERE ${tables}),
  numbering AS MATERIALIZED (
    SELECT c.relname AS of, c.relpersistence AS kept, d.deptype, s.oid, s.relname, s.relpersistence,
           z.seqmax, z.seqcycle, z.seqincrement
    FROM pg_class s JOIN pg_sequence z ON z.seqrelid = s.oid
    JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.oid
    JOIN pg_class c ON d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
    WHERE s.relkind = 'S' AND d.deptype IN ('a', 'i') AND ${tables}),
  settings AS MATERIALIZED (
    SELECT DISTINCT ON (e.name) e.name, e.value,
           CASE WHEN s.setrole = 0 THEN format('ALTER DATABASE %I RESET %s', current_database(), e.name)
                WHEN s.setdatabase = 0 THEN format('ALTER ROLE %s RESET %s', s.setrole::regrole, e.name)
                ELSE format('ALTER ROLE %s IN DATABASE %I RESET %s', s.setrole::regrole, current_database(), e.name) END AS reset
    FROM pg_db_role_setting s, unnest(s.setconfig) AS c,
         LATERAL (SELECT split_part(c, '=', 1) AS name, substr(c, strpos(c, '=') + 1) AS value) AS e
    WHERE s.setrole IN (0, to_regrole(quote_ident(session_user)))
      AND s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
    ORDER BY e.name, s.setrole = 0, s.setdatabase = 0)`;

/** The body of a function without comments, so that a pattern finds its first statement. */
const body = `regexp_replace(p.prosrc, '--[^\\n]*|/\\*.*?\\*/', '', 'g')`;

/** The beginning of a function that always runs: declarations, and statements that are not control structures. */
const firstOf = String.raw`^\s*(<<\w+>>\s*)?(declare\M\s+((?!begin\M)[^;]*;\s*)*)?begin\M\s+((?!(if|case|loop|for|foreach|while|begin|return|exit|<<)\M)[^;'']*(''[^'']*''[^;'']*)*;\s*)*`;

/** A statement that deletes the row that was just written (`NEW`), or all rows of the table; %s is the table. */
const removing = String.raw`(delete\s+from|truncate(\s+table)?)\s+(only\s+)?("?\w+"?\.)?"?%s"?\s*(as\s+\w+\s*|\w+\s+)?(;|where\M[^;]*\mnew\.)`;

/** SQL for the table that a function always writes to, as the function spells it; null if that is uncertain. */
const written = `(SELECT m[array_upper(m, 1)] FROM regexp_match(${body},
  '${firstOf}(?:insert\\s+into|update|delete\\s+from)\\s+(?:only\\s+)?((?:\\w+|"[^"]+")(?:\\.(?:\\w+|"[^"]+"))?)', 'i') AS m)`;

/**
 * SQL for whether a trigger refuses every row: its function always raises an error, always returns NULL (BEFORE, for
 * each row), has no RETURN statement, deletes the row that was written, or writes to a table that does not exist.
 * Triggers with a WHEN condition other than `true` do not count, nor do functions that catch errors.
 */
const refusing = `
  t.tgenabled IN ('O', 'A') AND (t.tgqual IS NULL OR t.tgqual::text ~ '^\\{CONST .*:constvalue 1 \\[ 1 ')
  AND ${body} !~* '\\mexception\\s+when\\M' AND (
    ${body} ~* '${firstOf}raise\\s+(exception|''|[a-z_]+\\s*;|sqlstate)'
    OR p.prolang = (SELECT oid FROM pg_language WHERE lanname = 'plpgsql') AND ${body} !~* '\\mreturn\\M'
    OR p.proconfig IS NULL AND ${body} !~* '\\mcreate\\M' AND to_regclass(${written}) IS NULL AND ${written} IS NOT NULL
    OR t.tgtype & 3 = 3 AND ${body} ~* '${firstOf}return\\s+null\\s*;'
    OR t.tgtype & 20 <> 0 AND ${body} ~* ('${firstOf}' || format('${removing}', c.relname)))`;

const triggers = `
  SELECT c.relname AS table, CASE WHEN t.tgenabled = 'D' THEN 'disabled trigger' ELSE 'trigger' END AS what, t.tgname AS name,
         pg_get_triggerdef(t.oid) AS detail, ${refusing} AS refuses,
         format('DROP TRIGGER %I ON %I', t.tgname, c.relname) AS remedy
  FROM pg_trigger t JOIN own c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
  WHERE NOT t.tgisinternal`;

// the server enforces foreign keys by internal triggers, which `pg_restore --disable-triggers` may have left disabled
const unenforced = `
  SELECT c.relname, 'foreign key that is not enforced', min(k.conname), 'its triggers are disabled', false,
         format('ALTER TABLE %I ENABLE TRIGGER ALL', c.relname)
  FROM pg_trigger t JOIN own c ON c.oid = t.tgrelid JOIN pg_constraint k ON k.oid = t.tgconstraint
  WHERE t.tgisinternal AND t.tgenabled IN ('D', 'R') GROUP BY c.oid, c.relname, k.oid`;

// the application uses INSERT … RETURNING id, which fails on a table with an INSTEAD rule
const rules = `
  SELECT c.relname, 'rule', r.rulename, pg_get_ruledef(r.oid), r.is_instead AND r.ev_enabled IN ('O', 'A'),
         format('DROP RULE %I ON %I', r.rulename, c.relname)
  FROM own c JOIN pg_rewrite r ON r.ev_class = c.oid WHERE c.relhasrules`;

/** SQL for whether an expression is true for no row: `false`, `1=0`, `id <> id`, as `pg_get_expr` prints them. */
const neverTrue = (expression: string): string => String.raw`coalesce(${expression} !~ ' OR |CASE |NOT \(' AND (
  ${expression} ~ '^\(*(.* AND )?\(?(false|NOT true|NULL::boolean)\)?( AND .*)?\)*$'
  OR ${expression} ~ '\((\S+) (<>|<|>|IS DISTINCT FROM) \1\)'
  OR EXISTS (SELECT FROM regexp_matches(${expression}, '\((-?\d+|''[^'']*''::\w+) = (-?\d+|''[^'']*''::\w+)\)', 'g') AS m
             WHERE m[1] <> m[2])), false)`;

/**
 * SQL for whether a policy allows no row to be read (USING) or written (WITH CHECK). Most policies have only one of the
 * two expressions.
 */
const lettingNothing = `(${neverTrue('pg_get_expr(p.polqual, p.polrelid)')} OR ${neverTrue('pg_get_expr(p.polwithcheck, p.polrelid)')})`;

const rowSecurity = `
  SELECT c.relname, CASE WHEN row_security_active(c.oid) THEN '${activeRowSecurity}' ELSE 'row security' END, c.relname,
         coalesce('policies ' || (SELECT string_agg(polname, ', ') FROM pg_policy WHERE polrelid = c.oid), 'without a policy'),
         row_security_active(c.oid) AND (
           NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polpermissive AND NOT (${lettingNothing}))
           OR EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND NOT p.polpermissive AND (${lettingNothing}))),
         format('ALTER TABLE %I DISABLE ROW LEVEL SECURITY', c.relname)
  FROM own c WHERE c.relrowsecurity`;

const unlogged = `
  SELECT c.relname, 'unlogged table', c.relname, 'a crash of the server empties it', true,
         format('ALTER TABLE %I SET LOGGED', c.relname)
  FROM own c WHERE c.relpersistence = 'u'`;

const unloggedSequences = `
  SELECT s.of, 'unlogged sequence', s.relname, 'after a crash of the server it begins anew, at numbers that are taken', true,
         format('ALTER SEQUENCE %I SET LOGGED', s.relname)
  FROM numbering s WHERE s.kept = 'p' AND s.relpersistence = 'u'`;

// the application inserts no value for a key that a sequence generates: with a constant default, every new row gets the
// same key
const keysWithoutSequence = `
  SELECT c.relname, 'default of the key', a.attname, 'it is no sequence, so that new rows get the same number', true,
         format('ALTER TABLE %I ALTER COLUMN %I DROP DEFAULT', c.relname, a.attname)
  FROM pg_constraint k JOIN own c ON c.oid = k.conrelid
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1] AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
  JOIN pg_attrdef f ON f.adrelid = c.oid AND f.adnum = a.attnum
  WHERE k.contype = 'p' AND cardinality(k.conkey) = 1 AND a.attgenerated = '' AND NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid
      AND d.refclassid IN ('pg_class'::regclass, 'pg_proc'::regclass) AND d.refobjid <> c.oid)`;

// sequences at their maximum: nextval fails, or with CYCLE starts again at numbers that rows use already
const exhausted = `
  SELECT q.of, 'sequence at its end', q.relname,
         format('it is at %s, and goes to %s%s', q.last, q.seqmax, CASE WHEN q.seqcycle THEN ', then from the beginning' ELSE '' END), true,
         format('ALTER SEQUENCE %I NO MAXVALUE NO CYCLE', q.relname)
  FROM (SELECT s.*, CASE WHEN has_sequence_privilege(s.oid, 'SELECT, USAGE') THEN pg_sequence_last_value(s.oid) END AS last
        FROM numbering s WHERE s.seqincrement > 0) AS q
  WHERE q.last > q.seqmax - q.seqincrement`;

/** The first oid of user objects: FirstNormalObjectId in access/transam.h. */
const firstUserOid = 16384;

// the application inserts no value into a column that it does not know: without a default, the column must allow NULL.
// A domain over a domain has the constraints of both, and its own default. If the owner has created no domain, the
// query reads no columns
const domains = `
  SELECT c.relname, 'column', a.attname, format('%s, a domain of its owner''s that %s', a.atttypid::regtype, why.text), why.refuses, why.remedy
  FROM pg_attribute a JOIN own c ON c.oid = a.attrelid
  JOIN pg_type worn ON worn.oid = a.atttypid AND worn.typtype = 'd' AND worn.oid >= ${firstUserOid}
  JOIN LATERAL (
    WITH RECURSIVE chain AS (
      SELECT worn.oid, worn.typnotnull, worn.typbasetype
      UNION ALL
      SELECT b.oid, b.typnotnull, b.typbasetype FROM chain JOIN pg_type b ON b.oid = chain.typbasetype AND b.typtype = 'd')
    SELECT 'lets in no NULL, which the application does not fill' AS text, true AS refuses,
           format('ALTER DOMAIN %s DROP NOT NULL', t.oid::regtype) AS remedy FROM chain t WHERE t.typnotnull
    UNION ALL
    SELECT 'has a ' || pg_get_constraintdef(k.oid), pg_get_constraintdef(k.oid) ~ 'VALUE IS NOT NULL' AND pg_get_constraintdef(k.oid) !~ ' OR ',
           format('ALTER DOMAIN %s DROP CONSTRAINT %I', t.oid::regtype, k.conname)
    FROM chain t JOIN pg_constraint k ON k.contypid = t.oid AND k.contype = 'c') AS why ON true
  WHERE EXISTS (SELECT FROM pg_type WHERE typtype = 'd' AND oid >= ${firstUserOid})
    AND a.attnum > 0 AND NOT a.attisdropped AND NOT a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AND worn.typdefault IS NULL`;

// tables with autovacuum turned off, usually for one load: dead rows are never removed, and statistics become outdated
const withoutVacuum = `
  SELECT c.relname, 'autovacuum', c.relname, 'it is turned off for this table, which grows and becomes slow', false,
         format('ALTER TABLE %I RESET (autovacuum_enabled)', c.relname)
  FROM own c, unnest(c.reloptions) AS option
  WHERE option ~* '^autovacuum_enabled=(f|off|no|n|0)'`;

const inheritance = `
  SELECT c.relname, 'inheritance', o.relname,
         CASE WHEN i.inhparent = c.oid THEN 'its rows show in this table, beside its keys' ELSE 'rows of this table show there' END,
         false, CASE WHEN i.inhparent = c.oid THEN format('ALTER TABLE %s NO INHERIT %I', o.oid::regclass, c.relname)
                     ELSE format('ALTER TABLE %I NO INHERIT %s', c.relname, o.oid::regclass) END
  FROM pg_inherits i JOIN own c ON c.oid IN (i.inhparent, i.inhrelid)
  JOIN pg_class o ON o.oid IN (i.inhparent, i.inhrelid) AND o.oid <> c.oid`;

const functionsInDefaults = `
  SELECT c.relname, 'function in a default', a.attname, p.oid::regprocedure::text, false,
         format('ALTER TABLE %I ALTER COLUMN %I DROP DEFAULT', c.relname, a.attname)
  FROM pg_depend d JOIN pg_attrdef f ON f.oid = d.objid JOIN own c ON c.oid = f.adrelid
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = f.adnum JOIN pg_proc p ON p.oid = d.refobjid
  WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_proc'::regclass`;

const rights = `
  SELECT c.relname, 'missing right', missing.rights, 'for ' || current_user, true,
         format('GRANT %s ON %I TO %I', missing.rights, c.relname, current_user)
  FROM own c, LATERAL (
    SELECT string_agg(r, ', ') AS rights FROM unnest(ARRAY['INSERT', 'UPDATE', 'DELETE']) r
    WHERE NOT has_table_privilege(c.oid, r)) AS missing
  WHERE missing.rights IS NOT NULL`;

const sequenceRights = `
  SELECT s.of, 'missing right', 'USAGE of ' || s.relname, 'for ' || current_user, true,
         format('GRANT USAGE, SELECT ON SEQUENCE %I TO %I', s.relname, current_user)
  FROM numbering s WHERE s.deptype = 'a' AND NOT has_sequence_privilege(s.oid, 'USAGE')`;

const publications = `
  SELECT c.relname, 'publication', p.pubname, 'its rows are sent to subscribers', false,
         format('ALTER PUBLICATION %I DROP TABLE %I', p.pubname, c.relname)
  FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid JOIN own c ON c.oid = r.prrelid
  UNION ALL
  SELECT NULL, 'publication', pubname, 'all tables are sent to subscribers', false, format('DROP PUBLICATION %I', pubname)
  FROM pg_publication WHERE puballtables`;

// the server refuses UPDATE and DELETE on a published table without a replica identity. A table whose replica identity
// index was dropped has none
const identities = `
  SELECT c.relname, 'replica identity', c.relname, 'it is published, and has none: UPDATE and DELETE fail', true,
         format('ALTER TABLE %I REPLICA IDENTITY DEFAULT', c.relname)
  FROM own c
  WHERE CASE c.relreplident
    WHEN 'n' THEN true
    WHEN 'i' THEN NOT EXISTS (SELECT FROM pg_index x WHERE x.indrelid = c.oid AND x.indisreplident) ELSE false END AND EXISTS (
    SELECT FROM pg_publication p, pg_get_publication_tables(p.pubname) AS t
    WHERE t.relid = c.oid AND (p.pubupdate OR p.pubdelete))`;

// the application reads the values of a `char` with blanks up to its width, and knows no revision of that name
const paddedVersion = `
  SELECT c.relname, 'column', a.attname, format('it is %s, so the application reads its values with blanks at the end, and finds no such revision', format_type(a.atttypid, a.atttypmod)),
         true, format('ALTER TABLE %I ALTER COLUMN version_num TYPE varchar(255)', c.relname)
  FROM own c JOIN pg_attribute a ON a.attrelid = c.oid
  WHERE c.relname = '${versionTable}' AND a.attname = 'version_num' AND a.atttypid = 'bpchar'::regtype`;

// servers before 15 have no publications of whole schemas
const schemaPublications = `
  SELECT NULL, 'publication', p.pubname, format('all tables of schema %I are sent to subscribers', n.nspname), false,
         format('ALTER PUBLICATION %I DROP TABLES IN SCHEMA %I', p.pubname, n.nspname)
  FROM pg_publication_namespace s JOIN pg_publication p ON p.oid = s.pnpubid JOIN pg_namespace n ON n.oid = s.pnnspid
  WHERE n.oid = ${schema}`;

const eventTriggers = `
  SELECT NULL, 'event trigger', e.evtname, 'on ' || e.evtevent || ': ' || p.oid::regprocedure, false,
         format('ALTER EVENT TRIGGER %I DISABLE', e.evtname)
  FROM pg_event_trigger e JOIN pg_proc p ON p.oid = e.evtfoid
  WHERE e.evtenabled <> 'D' AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_event_trigger'::regclass AND d.objid = e.oid AND d.deptype = 'e')`;

// the server prefers such a function to the built-in one of the same name if its argument types match better
const shadows = `
  SELECT NULL, 'function named like a built-in', p.proname, p.oid::regprocedure::text, false,
         'DROP FUNCTION ' || p.oid::regprocedure
  FROM pg_proc p
  WHERE p.oid >= ${firstUserOid} AND p.pronamespace = ${schema} AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
    AND EXISTS (SELECT FROM pg_proc b WHERE b.proname = p.proname AND b.pronamespace = 'pg_catalog'::regnamespace)
  UNION ALL
  SELECT NULL, 'operator named like a built-in', o.oprname, o.oid::regoperator::text, false, 'DROP OPERATOR ' || o.oid::regoperator
  FROM pg_operator o
  WHERE o.oid >= ${firstUserOid} AND o.oprnamespace = ${schema} AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_operator'::regclass AND d.objid = o.oid AND d.deptype = 'e')
    AND EXISTS (SELECT FROM pg_operator b WHERE b.oprname = o.oprname AND b.oprnamespace = 'pg_catalog'::regnamespace)
  UNION ALL
  SELECT NULL, 'type named like a built-in', t.typname, format_type(t.oid, NULL), false,
         format('DROP %s %I.%I', CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, current_schema(), t.typname)
  FROM pg_type t
  WHERE t.oid >= ${firstUserOid} AND t.typnamespace = ${schema} AND t.typelem = 0
    AND (t.typrelid = 0 OR (SELECT c.relkind = 'c' FROM pg_class c WHERE c.oid = t.typrelid))
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
    AND EXISTS (SELECT FROM pg_type b WHERE b.typname = t.typname AND b.typnamespace = 'pg_catalog'::regnamespace)`;

// a cast belongs to no schema: a cast between two built-in types affects every query
const casts = `
  SELECT NULL, 'cast between built-in types', format('%s AS %s', format_type(k.castsource, NULL), format_type(k.casttarget, NULL)),
         concat(CASE k.castcontext WHEN 'i' THEN 'in every expression' WHEN 'a' THEN 'in every assignment' ELSE 'where it is asked for' END,
                CASE WHEN k.castfunc <> 0 THEN ', by ' || k.castfunc::regprocedure END), false,
         format('DROP CAST (%s AS %s)', format_type(k.castsource, NULL), format_type(k.casttarget, NULL))
  FROM pg_cast k
  WHERE k.oid >= ${firstUserOid} AND k.castsource < ${firstUserOid} AND k.casttarget < ${firstUserOid}
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_cast'::regclass AND d.objid = k.oid AND d.deptype = 'e')`;

// settings that make every transaction of the application read-only, with the place where each was set
const readOnly = `
  SELECT NULL, 'setting', 'default_transaction_read_only', 'every transaction of the application is read-only', true,
         coalesce('BEGIN READ WRITE; ' || (SELECT reset FROM settings AS s WHERE name = 'default_transaction_read_only') || '; COMMIT',
                  'ALTER SYSTEM SET default_transaction_read_only TO off; SELECT pg_reload_conf()')
  WHERE current_setting('default_transaction_read_only')::bool
  UNION ALL
  SELECT NULL, 'standby', current_database(), 'the server only follows another one, and takes no writes', true,
         '-- give the address of the primary in DATABASE_URL, or make this one the primary: SELECT pg_promote()'
  WHERE pg_is_in_recovery()`;

/** Milliseconds: the application sometimes needs more. */
const shortTimeout = 10_000;

// db-init switches these settings off in its own sessions, so they are read from where they were set
const sessionSettings = `
  SELECT NULL, 'setting', s.name,
         CASE s.name WHEN 'session_replication_role' THEN 'it is ' || s.value || ': no foreign key is enforced in sessions of the application'
                     ELSE format('it is %s: the server ends what takes the application longer', s.value) END,
         false, 'SET statement_timeout TO 0; ' || s.reset
  FROM settings AS s, regexp_match(s.value, '^([0-9]+) *(us|ms|s|min|h|d|)$') AS m,
       LATERAL (SELECT m[1]::numeric * CASE m[2] WHEN 'us' THEN 0.001 WHEN 's' THEN 1000 WHEN 'min' THEN 60000
                                                 WHEN 'h' THEN 3600000 WHEN 'd' THEN 86400000 ELSE 1 END AS ms) AS t
  WHERE s.name IN ('statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout') AND t.ms > 0 AND t.ms < ${shortTimeout}
    OR s.name = 'session_replication_role' AND s.value = 'replica'`;

// The application's driver takes the encoding of the session, by default that of the database, and reads and writes only
// characters that it has. SQL_ASCII (number 0) counts as ASCII. db-init sets UTF8 in its own sessions. The statement is in
// ASCII, because databases in every encoding have to accept it
const textEncoding = `
  SELECT NULL, '${sessionEncoding}', e.name,
         format('the application reads and writes texts in it, and fails at other characters, in the first rows already. Correct it with: %s;', e.remedy),
         false, e.remedy
  FROM (SELECT coalesce((SELECT value FROM settings AS s WHERE s.name = 'client_encoding'), current_setting('server_encoding')) AS name,
               format('ALTER ROLE %I IN DATABASE %I SET client_encoding TO %L', session_user, current_database(), 'UTF8') AS remedy) AS e
  WHERE pg_char_to_encoding(e.name) <> pg_char_to_encoding('UTF8')
    AND (pg_char_to_encoding(e.name) <> pg_char_to_encoding(current_setting('server_encoding')) OR pg_char_to_encoding(e.name) = 0)`;

// after a change of the base image, text may sort in another order than when the indexes were built. Oid 100 is the
// collation of the database (DEFAULT_COLLATION_OID in pg_collation.dat), whose version is in pg_database, and 950 is C,
// which has none; 0 means none
const collations = `
  SELECT NULL, '${collationVersion}', k.name,
         format('indexes over its columns were built with version %s, and the server sorts by %s, so they may miss rows. With the application stopped: REINDEX DATABASE %I; ALTER COLLATION %s REFRESH VERSION;', k.kept, k.actual, current_database(), k.name),
         false, format('REINDEX DATABASE %I; ALTER COLLATION %s REFRESH VERSION', current_database(), k.name)
  FROM (SELECT format('%I.%I', n.nspname, o.collname) AS name, o.collversion AS kept, pg_collation_actual_version(o.oid) AS actual
        FROM pg_collation o JOIN pg_namespace n ON n.oid = o.collnamespace
        WHERE o.collversion IS NOT NULL AND o.oid IN (
          SELECT a.attcollation FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
          WHERE c.relnamespace = ${schema} AND a.attcollation NOT IN (0, 100, 950) AND a.attnum > 0 AND NOT a.attisdropped)) AS k
  WHERE k.kept <> k.actual`;

// servers before 15 have neither datcollversion nor pg_database_collation_actual_version
const databaseCollation = `
  SELECT NULL, '${collationVersion} of the database', v.name,
         format('indexes over text were built with version %s, and the server sorts by %s, so they may miss rows. With the application stopped: REINDEX DATABASE %I; ALTER DATABASE %I REFRESH COLLATION VERSION;', v.kept, v.actual, v.name, v.name),
         false, format('REINDEX DATABASE %I; ALTER DATABASE %I REFRESH COLLATION VERSION', v.name, v.name)
  FROM (SELECT datname::text AS name, datcollversion AS kept, pg_database_collation_actual_version(oid) AS actual
        FROM pg_database WHERE datname = current_database()) AS v
  WHERE v.kept <> v.actual`;

/** The queries whose objects may refuse rows, and those for settings that a run warns of. */
const deciding = [
  triggers,
  rules,
  rowSecurity,
  unlogged,
  unloggedSequences,
  exhausted,
  keysWithoutSequence,
  domains,
  rights,
  sequenceRights,
  identities,
  paddedVersion,
  eventTriggers,
  readOnly,
  textEncoding,
  collations,
];

/** The queries whose objects only cause notes. */
const noted = [
  unenforced,
  withoutVacuum,
  inheritance,
  functionsInDefaults,
  publications,
  shadows,
  casts,
  sessionSettings,
];

/**
 * The query for attachments. Its columns: `table` (null: the database), `what`, `name`, `detail`, `refuses` (whether it
 * refuses writes), `remedy` (the SQL that removes it).
 * @param versionNumber of the server, e.g. 160004
 * @param depth `quick`: without the attachments that only cause notes
 */
export function attachmentsQuery(versionNumber: number, depth: Depth): string {
  // servers before 15 lack what these two read
  const since15 = depth === 'quick' ? [databaseCollation] : [databaseCollation, schemaPublications];
  const queries = [...deciding, ...(depth === 'quick' ? [] : noted), ...(versionNumber < 150000 ? [] : since15)];
  return `WITH ${shared}\n${queries.join('\nUNION ALL\n')}`;
}

/**
 * The sequences that number the rows of tables that are not empty: the one in the default of a column, else the one that
 * the column owns. A default may name the sequence of another table. Columns: table, column, sequence, increment.
 */
export const sequencesQuery = `
  WITH n AS MATERIALIZED (
    SELECT relation, number, coalesce(min(sequence) FILTER (WHERE NOT owned), min(sequence)) AS sequence
    FROM (SELECT f.adrelid AS relation, f.adnum::int AS number, s.oid AS sequence, false AS owned
          FROM pg_depend d JOIN pg_class s ON s.oid = d.refobjid JOIN pg_attrdef f ON f.oid = d.objid
          WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid = 0
            AND d.deptype = 'n' AND s.relkind = 'S'
          UNION ALL
          SELECT d.refobjid, d.refobjsubid, s.oid, true
          FROM pg_class s JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.oid
          WHERE s.relkind = 'S' AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')) AS each
    GROUP BY relation, number)
  SELECT c.relname AS table, a.attname AS column, s.relname AS sequence, z.seqincrement::text AS increment
  FROM n JOIN pg_class s ON s.oid = n.sequence JOIN pg_class c ON c.oid = n.relation
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = n.number JOIN pg_sequence z ON z.seqrelid = s.oid
  WHERE s.relnamespace = c.relnamespace AND ${tables}
    AND CASE s.relkind WHEN 'S' THEN has_sequence_privilege(s.oid, 'SELECT') END
    AND CASE c.relkind WHEN 'r' THEN pg_relation_size(c.oid) > 0 ELSE true END
  ORDER BY 1, 2`;
