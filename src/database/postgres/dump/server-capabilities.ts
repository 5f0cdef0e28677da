import { setTimeout as wait } from 'node:timers/promises';
import type { PostgresTarget } from '../../../config/config.ts';
import { flag, only, text } from '../../row-values.ts';
import type { Session } from '../../session.ts';
import { postgresSession } from '../session.ts';
import { closeClient, connectOnce } from '../connect.ts';
import { prepareSession } from '../lock.ts';
import { findPgOptions } from './session-options.ts';
import type { ServerCapabilities } from './toc.ts';

/** Reads which objects this user may create on a server, and the encoding of the database. */
export async function readServerCapabilities(
  target: PostgresTarget,
  major: number,
): Promise<ServerCapabilities & { readonly encoding: string }> {
  return withSession(target, async (session) => {
    const role = only(
      await session.query(`SELECT rolsuper AS superuser, current_setting('server_encoding') AS encoding
                                             FROM pg_roles WHERE rolname = current_user`),
    );
    const extensions = await session.query(`
      SELECT e.name, coalesce(v.superuser AND NOT v.trusted, true) AS superuser_only
      FROM pg_available_extensions e
      LEFT JOIN pg_available_extension_versions v ON v.name = e.name AND v.version = e.default_version`);
    return {
      major,
      encoding: text(role, 'encoding'),
      superuser: flag(role, 'superuser'),
      extensions: new Map(extensions.map((row) => [text(row, 'name'), { superuserOnly: flag(row, 'superuser_only') }])),
    };
  });
}

/** Whether our role is a superuser and `role` is not. */
export async function ownerNeedsSuperuser(target: PostgresTarget, role: string): Promise<boolean> {
  return withSession(target, async (session) => {
    const rows = await session.query(
      `SELECT 1 FROM pg_roles ours, pg_roles theirs
       WHERE ours.rolname = current_user AND ours.rolsuper AND theirs.rolname = $1 AND NOT theirs.rolsuper`,
      [role],
    );
    return rows.length > 0;
  });
}

/** The session options (PGOPTIONS) for a pg_restore that loads into a database. */
export async function findLoadOptions(target: PostgresTarget): Promise<string | undefined> {
  return withSession(target, (session) => findPgOptions(session, 'load'));
}

/** Milliseconds between two checks, and the number of checks. */
const pause = 100;
const looks = 100;

/**
 * Ends the sessions that a load has left in its database, and waits until they have ended. Errors are ignored: a
 * database that cannot be reached has no sessions.
 */
export async function endSessionsOf(applicationName: string, target: PostgresTarget): Promise<void> {
  await withSession(target, async (session) => {
    for (let look = 0; look < looks; look++) {
      const rows = await session.query(
        `SELECT pid, pg_terminate_backend(pid) AS told FROM pg_stat_activity
         WHERE application_name = $1 AND datname = current_database() AND pid <> pg_backend_pid()`,
        [applicationName],
      );
      if (rows.length === 0) return;
      await wait(pause);
    }
  }).catch(() => undefined);
}

async function withSession<Result>(
  target: PostgresTarget,
  use: (session: Session) => Promise<Result>,
): Promise<Result> {
  const client = await connectOnce(target, 'db-init load');
  try {
    await prepareSession(client, { lockTimeout: 0, schema: target.schema });
    return await use(postgresSession(client));
  } finally {
    await closeClient(client);
  }
}
