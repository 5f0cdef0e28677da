import { Failure } from '../../errors/failure.ts';
import type { ConnectionPurpose } from '../../model/database-facts.ts';
import type { Database } from '../database.ts';
import { number, only, text } from '../row-values.ts';

/**
 * Checks that our role may open `more` connections besides its open ones (`ALTER ROLE … CONNECTION LIMIT`).
 * @returns how many more connections the role may open; Infinity for a superuser or without a limit
 * @throws Failure `missing-rights`, with the limit that is needed
 */
export async function requireConnections(live: Database, more: number, purpose: ConnectionPurpose): Promise<number> {
  const row = await live.read(async (session) =>
    only(
      await session.query(
        `SELECT quote_ident(rolname) AS role, CASE WHEN rolsuper THEN -1 ELSE rolconnlimit END AS allowed,
                (SELECT count(*)::int FROM pg_stat_activity WHERE usesysid = pg_roles.oid) AS used
         FROM pg_roles WHERE rolname = session_user`,
      ),
    ),
  );
  const allowed = number(row, 'allowed');
  if (allowed < 0) return Infinity;
  const used = number(row, 'used');
  if (used + more <= allowed) return allowed - used;
  const right = {
    action: { kind: 'connect', purpose, used, more, limit: allowed } as const,
    remedy: `ALTER ROLE ${text(row, 'role')} CONNECTION LIMIT ${used + more};`,
  };
  throw new Failure({ kind: 'missing-rights', database: live.name, rights: [right] });
}
