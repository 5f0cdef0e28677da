import { randomBytes } from 'node:crypto';
import { atEnd } from '../support/cleanup.ts';
import { admin, type TestDatabase, withClient } from '../support/database.ts';

/** A role that owns a database and has no other right, except to create databases if needed. */
export interface Owner {
  readonly role: string;
  /** The address of the database for this role. */
  readonly url: string;
}

/** Gives a database to a new role, which is dropped after the tests of the file. */
export async function ownerOf(database: TestDatabase, rights: '' | 'CREATEDB' | 'SUPERUSER' = ''): Promise<Owner> {
  const role = `dbi_role_${randomBytes(4).toString('hex')}`;
  await admin(`CREATE ROLE ${role} LOGIN PASSWORD 'pw' ${rights}`);
  // restores leave databases of the role behind
  atEnd(() => admin(`DROP ROLE ${role}`));
  atEnd(() => dropDatabasesOf(role));
  await admin(`ALTER DATABASE "${database.name}" OWNER TO ${role}`);
  await withClient(database.url, (client) => client.query(`ALTER SCHEMA public OWNER TO ${role}`));
  const url = new URL(database.url);
  url.username = role;
  url.password = 'pw';
  return { role, url: url.href };
}

async function dropDatabasesOf(role: string): Promise<void> {
  const { requirePostgres } = await import('../support/postgres-server.ts');
  await withClient(requirePostgres().url, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      'SELECT datname AS name FROM pg_database WHERE datdba = to_regrole($1)',
      [role],
    );
    for (const { name } of rows) await client.query(`DROP DATABASE "${name.replaceAll('"', '""')}" WITH (FORCE)`);
  });
}
