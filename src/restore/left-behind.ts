import { currentSchema } from '../database/current-schema.ts';
import type { Database } from '../database/database.ts';
import { text } from '../database/rows.ts';

/** What the owner has made around the application's tables, and no archive brings along. */
const around = `
  SELECT 'publication ' || quote_ident(pubname) AS object FROM pg_publication
  UNION ALL
  SELECT 'subscription ' || quote_ident(subname) FROM pg_subscription
  WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
  UNION ALL
  SELECT 'replication slot ' || quote_ident(slot_name) FROM pg_replication_slots WHERE database = current_database()
  UNION ALL
  SELECT 'rights of ' || CASE WHEN grantee = 0 THEN 'everybody' ELSE quote_ident(pg_get_userbyid(grantee)) END
         || ' on ' || string_agg(DISTINCT relname, ', ' ORDER BY relname)
  FROM pg_class, aclexplode(relacl) WHERE relnamespace = ${currentSchema} AND grantee <> relowner GROUP BY grantee
  UNION ALL
  SELECT DISTINCT 'default privileges for what ' || quote_ident(pg_get_userbyid(defaclrole)) || ' creates' FROM pg_default_acl
  ORDER BY 1`;

/**
 * What the live database has and a restored one will lack, by name: publications, subscriptions, replication slots,
 * grants to other roles, default privileges. What is set and granted for the database as a whole is carried over.
 */
export async function findLeftBehind(live: Database): Promise<readonly string[]> {
  if (live.engine === 'sqlite') return [];
  return live.read(async (session) => (await session.query(around)).map((row) => text(row, 'object')));
}
