import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { quoteName, quoteText } from '../../platform/sql-quoting.ts';
import type { Session } from '../session.ts';

/**
 * The role that loads an archive if our role is a superuser: it may log in, owns the database that it loads into, and
 * has no other right. SET ROLE would not be sufficient, because SQL in the archive could run RESET ROLE.
 */
export interface LoadRole {
  readonly user: string;
  readonly password: string;
}

/** The comment that marks roles that db-init created. */
const mark = 'db-init: loads an archive, and is dropped when that is done';

/**
 * Creates a role for one load.
 * @param session of a superuser
 * @throws Error if a role with that name exists
 */
export async function createLoadRole(session: Session, user: string): Promise<LoadRole> {
  const password = randomBytes(24).toString('hex');
  const name = quoteName(user);
  // only a hash is sent, because the server's log may contain the statement
  await session.run(
    `CREATE ROLE ${name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS INHERIT
       PASSWORD ${quoteText(scramVerifier(password))};
     COMMENT ON ROLE ${name} IS ${quoteText(mark)}`,
  );
  return { user, password };
}

/** Drops the role of a load, if it exists. The role must not own any objects. */
export async function dropLoadRole(session: Session, user: string): Promise<void> {
  const ours = await session.query(
    `SELECT 1 FROM pg_roles WHERE rolname = $1 AND shobj_description(oid, 'pg_authid') = $2`,
    [user, mark],
  );
  if (ours.length > 0) await session.run(`DROP ROLE ${quoteName(user)}`);
}

/**
 * The SCRAM verifier that PostgreSQL stores (RFC 5803): `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`.
 */
function scramVerifier(password: string): string {
  const iterations = 4096;
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const keyOf = (label: string): Buffer => createHmac('sha256', salted).update(label).digest();
  const storedKey = createHash('sha256').update(keyOf('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${keyOf('Server Key').toString('base64')}`;
}
