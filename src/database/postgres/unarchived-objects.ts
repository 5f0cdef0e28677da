import { currentSchema } from '../current-schema.ts';
import { flag, number, only, optionalText, text } from '../row-values.ts';
import type { Session } from '../session.ts';

/** An object or a right around the application's tables that no archive contains. */
export interface UnarchivedObject {
  readonly object: string;
  /** For rights: the object that they are on; null for other objects. */
  readonly on: string | null;
  /** The SQL that creates it again in a database that has the tables, without the semicolon. */
  readonly statement: string;
  /** Whether the statement can be run automatically without a risk for other objects. */
  readonly safe: boolean;
}

/** The grantee in words: `reader`, or `everybody` for PUBLIC. */
const grantee = `CASE WHEN a.grantee = 0 THEN 'everybody' ELSE quote_ident(pg_get_userbyid(a.grantee)) END`;
const toGrantee = `CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END`;
const option = `CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END`;

/** Parts of the query for the rights on one kind of object. */
interface Granted {
  readonly from: string;
  readonly where: string;
  readonly acl: string;
  readonly owner: string;
  /** The kind of object in GRANT, as a SQL expression. */
  readonly kind: string;
  readonly name: string;
  readonly shown: string;
}

const grantsOn = ({ from, where, acl, owner, kind, name, shown }: Granted): string => `
  SELECT 'rights of ' || ${grantee}, ${shown},
         format('GRANT %s ON %s %s TO %s%s', string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type), min(${kind}), ${name},
                ${toGrantee}, ${option}), true
  FROM ${from}, aclexplode(${acl}) AS a
  WHERE ${where} AND a.grantee <> ${owner}
  GROUP BY a.grantee, a.is_grantable, ${name}, ${shown}`;

const inApplicationSchema = (namespace: string): string => `${namespace} = ${currentSchema}`;

const relationName = `format('%I.%I', n.nspname, c.relname)`;
const relations = 'pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace';

/** The rights that PUBLIC has on the schema `public` of a new database (PostgreSQL manual, "Schemas"). */
const defaultPublicRight = `a.grantee = 0 AND n.nspname = 'public'
  AND (a.privilege_type = 'USAGE' OR current_setting('server_version_num')::int < 150000)`;

const onSchema = grantsOn({
  from: 'pg_namespace n',
  where: `${inApplicationSchema('n.oid')} AND NOT (${defaultPublicRight})`,
  acl: 'n.nspacl',
  owner: 'n.nspowner',
  kind: `'SCHEMA'`,
  name: 'quote_ident(n.nspname)',
  shown: `'schema ' || quote_ident(n.nspname)`,
});

const functions = {
  from: 'pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace',
  acl: 'p.proacl',
  kind: `CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END`,
  name: `format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))`,
  shown: `'function ' || quote_ident(p.proname)`,
};
const types = {
  from: 'pg_type y JOIN pg_namespace n ON n.oid = y.typnamespace',
  acl: 'y.typacl',
  kind: `'TYPE'`,
  name: `format('%I.%I', n.nspname, y.typname)`,
  shown: `'type ' || quote_ident(y.typname)`,
};

const inSchema: readonly string[] = [
  grantsOn({
    from: relations,
    where: inApplicationSchema('c.relnamespace'),
    acl: 'c.relacl',
    owner: 'c.relowner',
    kind: `CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END`,
    name: relationName,
    shown: 'quote_ident(c.relname)',
  }),
  `SELECT 'rights of ' || ${grantee}, 'columns of ' || quote_ident(c.relname),
          format('GRANT %s ON TABLE %s TO %s%s',
                 string_agg(format('%s (%I)', a.privilege_type, t.attname), ', ' ORDER BY a.privilege_type, t.attnum),
                 ${relationName}, ${toGrantee}, ${option}), true
   FROM ${relations} JOIN pg_attribute t ON t.attrelid = c.oid, aclexplode(t.attacl) AS a
   WHERE ${inApplicationSchema('c.relnamespace')} AND NOT t.attisdropped AND a.grantee <> c.relowner
   GROUP BY a.grantee, a.is_grantable, c.relname, ${relationName}`,
  grantsOn({ ...functions, where: `${inApplicationSchema('p.pronamespace')} AND a.grantee <> 0`, owner: 'p.proowner' }),
  grantsOn({ ...types, where: `${inApplicationSchema('y.typnamespace')} AND a.grantee <> 0`, owner: 'y.typowner' }),
];

/** A right that PUBLIC has by default on a kind of object, until it is revoked (PostgreSQL manual, "Privileges"). */
interface Revocable extends Omit<Granted, 'acl' | 'owner'> {
  /** The ACL in the catalog; NULL if it was never changed. */
  readonly acl: string;
  readonly privilege: 'EXECUTE' | 'USAGE' | 'CREATE';
}

/** The query for a revoked right of PUBLIC: an archive is loaded without ACLs, so PUBLIC would get the right again. */
const revokedOn = ({ from, where, acl, kind, name, shown, privilege }: Revocable): string => `
  SELECT 'revocation of ${privilege} from everybody', ${shown}, format('REVOKE ${privilege} ON %s %s FROM PUBLIC', ${kind}, ${name}), true
  FROM ${from}
  WHERE ${where} AND ${acl} IS NOT NULL
    AND NOT EXISTS (SELECT FROM aclexplode(${acl}) AS a WHERE a.grantee = 0 AND a.privilege_type = '${privilege}')`;

/** The queries for rights on functions and types that were revoked from PUBLIC. @param where filters the schemas */
const revokedInSchemas = (where: string): readonly string[] => [
  revokedOn({ ...functions, where, privilege: 'EXECUTE' }),
  revokedOn({ ...types, where, privilege: 'USAGE' }),
];

/**
 * The query for a right on the schema `public` that was revoked from PUBLIC: in a new database PUBLIC has rights on it.
 * On a schema that a load creates, PUBLIC has none.
 */
const revokedOnSchema = (privilege: 'USAGE' | 'CREATE'): string =>
  revokedOn({
    from: 'pg_namespace n',
    where: `n.nspname = 'public'${privilege === 'CREATE' ? ` AND current_setting('server_version_num')::int < 150000` : ''}`,
    acl: `coalesce(n.nspacl, acldefault('n', n.nspowner))`,
    kind: `'SCHEMA'`,
    name: 'quote_ident(n.nspname)',
    shown: `'schema ' || quote_ident(n.nspname)`,
    privilege,
  });

const revokedInDatabase: readonly string[] = [
  ...revokedInSchemas(`n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'`),
  revokedOnSchema('USAGE'),
  revokedOnSchema('CREATE'),
  revokedOn({
    from: 'pg_language l',
    where: 'l.lanpltrusted',
    acl: 'l.lanacl',
    kind: `'LANGUAGE'`,
    name: 'quote_ident(l.lanname)',
    shown: `'language ' || quote_ident(l.lanname)`,
    privilege: 'USAGE',
  }),
  // default privileges for a single schema can only add rights
  ...(
    [
      ['f', 'EXECUTE', 'FUNCTIONS'],
      ['T', 'USAGE', 'TYPES'],
    ] as const
  ).map(
    ([type, privilege, plural]) => `
  SELECT 'default privileges for what ' || quote_ident(pg_get_userbyid(d.defaclrole)) || ' creates', NULL,
         format('ALTER DEFAULT PRIVILEGES FOR ROLE %I REVOKE ${privilege} ON ${plural} FROM PUBLIC', pg_get_userbyid(d.defaclrole)), true
  FROM pg_default_acl d
  WHERE d.defaclnamespace = 0 AND d.defaclobjtype = '${type}'
    AND NOT EXISTS (SELECT FROM aclexplode(d.defaclacl) AS a WHERE a.grantee = 0 AND a.privilege_type = '${privilege}')`,
  ),
];

const defaultPrivileges = (ofSchemasAlone: boolean): string => `
  SELECT 'default privileges for what ' || quote_ident(pg_get_userbyid(d.defaclrole)) || ' creates', NULL,
         format('ALTER DEFAULT PRIVILEGES FOR ROLE %I%s GRANT %s ON %s TO %s%s', pg_get_userbyid(d.defaclrole),
                CASE WHEN n.oid IS NULL THEN '' ELSE format(' IN SCHEMA %I', n.nspname) END,
                string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type),
                CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS'
                                     WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE OBJECTS' END,
                ${toGrantee}, ${option}), true
  FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace, aclexplode(d.defaclacl) AS a
  WHERE a.grantee <> d.defaclrole AND (${inApplicationSchema('n.oid')} ${ofSchemasAlone ? '' : 'OR n.oid IS NULL'})
  GROUP BY d.defaclrole, n.oid, n.nspname, d.defaclobjtype, a.grantee, a.is_grantable`;

/**
 * Whether a table has a usable replica identity: without one, the server refuses UPDATE and DELETE once it is
 * published.
 */
const hasReplicaIdentity = `c.relreplident = 'd'
  AND EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND i.indisvalid)`;

/** The tables of publications. @param detailed whether the server has column lists and row filters (PostgreSQL 15) */
const publishedTables = (detailed: boolean, where: string): string => `
  SELECT r.prpubid, bool_and(${hasReplicaIdentity}) AS apart,
         string_agg(format('%I.%I', n.nspname, c.relname)
           ${
             detailed
               ? `|| coalesce((SELECT ' (' || string_agg(quote_ident(t.attname), ', ' ORDER BY t.attnum) || ')' FROM pg_attribute t
                                WHERE t.attrelid = c.oid AND t.attnum = ANY (r.prattrs)), '')
                  || coalesce(' WHERE (' || pg_get_expr(r.prqual, r.prrelid) || ')', '')`
               : ''
           }, ', ' ORDER BY n.nspname, c.relname) AS tables
  FROM pg_publication_rel r JOIN pg_class c ON c.oid = r.prrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE ${where} GROUP BY r.prpubid`;

const publications = (detailed: boolean): string => `
  SELECT 'publication ' || quote_ident(p.pubname), NULL,
         format('CREATE PUBLICATION %I%s WITH (publish = %L%s)', p.pubname,
           CASE WHEN p.puballtables THEN ' FOR ALL TABLES'
                ELSE coalesce(' FOR ' || nullif(concat_ws(', ', 'TABLE ' || t.tables, ${detailed ? 's.schemas' : 'NULL'}), ''), '') END,
           concat_ws(', ', CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
                           CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END),
           CASE WHEN to_jsonb(p) ->> 'pubviaroot' = 'true' THEN ', publish_via_partition_root = true' ELSE '' END),
         NOT p.puballtables AND ${detailed ? 's.schemas IS NULL AND' : ''}
           (NOT (p.pubupdate OR p.pubdelete) OR coalesce(t.apart, true))
  FROM pg_publication p LEFT JOIN (${publishedTables(detailed, 'true')}) t ON t.prpubid = p.oid
  ${
    detailed
      ? `LEFT JOIN (SELECT m.pnpubid, 'TABLES IN SCHEMA ' || string_agg(quote_ident(n.nspname), ', ' ORDER BY n.nspname) AS schemas
                    FROM pg_publication_namespace m JOIN pg_namespace n ON n.oid = m.pnnspid GROUP BY m.pnpubid) s
         ON s.pnpubid = p.oid`
      : ''
  }`;

/** The query for a schema swap: the publications stay in the database, and still publish the former tables. */
const publishedHere = (detailed: boolean): string => `
  SELECT 'tables of publication ' || quote_ident(p.pubname), NULL,
         format('ALTER PUBLICATION %I ADD TABLE %s', p.pubname, t.tables),
         NOT (p.pubupdate OR p.pubdelete) OR t.apart
  FROM pg_publication p JOIN (${publishedTables(detailed, inApplicationSchema('c.relnamespace'))}) t ON t.prpubid = p.oid`;

/** The queries for objects that belong to the oid of the database: the renamed former database keeps them. */
const ofDatabase: readonly string[] = [
  `SELECT 'subscription ' || quote_ident(subname), NULL,
          format('CREATE SUBSCRIPTION %I CONNECTION %L PUBLICATION %s WITH (connect = false, slot_name = %s)', subname,
                 'as the former database has it in pg_subscription',
                 (SELECT string_agg(quote_ident(name), ', ') FROM unnest(subpublications) AS name),
                 CASE WHEN subslotname IS NULL THEN 'NONE' ELSE quote_literal(subslotname) END), false
   FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  `SELECT 'replication slot ' || quote_ident(slot_name), NULL,
          format('SELECT pg_drop_replication_slot(%1$L), pg_create_logical_replication_slot(%1$L, %2$L)', slot_name, plugin), false
   FROM pg_replication_slots WHERE database = current_database() AND NOT temporary`,
];

/**
 * Finds the objects and rights around the application's tables that no archive contains: publications, subscriptions,
 * replication slots, rights of other roles, rights revoked from PUBLIC, default privileges. Settings and grants of the
 * database itself are not included (`copySettings`).
 * @param exchanged what a restore swaps: the database, or only its schema
 */
export async function findUnarchivedObjects(
  session: Session,
  exchanged: 'database' | 'schema',
): Promise<readonly UnarchivedObject[]> {
  const server = only(await session.query(`SELECT current_setting('server_version_num')::int AS version`));
  const detailed = number(server, 'version') >= 150_000;
  const parts =
    exchanged === 'schema'
      ? [
          ...inSchema,
          ...revokedInSchemas(inApplicationSchema('n.oid')),
          defaultPrivileges(true),
          publishedHere(detailed),
        ]
      : [onSchema, ...inSchema, ...revokedInDatabase, defaultPrivileges(false), publications(detailed), ...ofDatabase];
  const rows = await session.query(
    `SELECT object, thing, statement, safe FROM (${parts.join(' UNION ALL ')}) AS all_of_it (object, thing, statement, safe) ORDER BY 1, 2, 3`,
  );
  return rows.map((row) => ({
    object: text(row, 'object'),
    on: optionalText(row, 'thing'),
    statement: text(row, 'statement'),
    safe: flag(row, 'safe'),
  }));
}
