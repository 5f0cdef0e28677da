import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { Config, PostgresTarget } from '../../config/config.ts';
import { currentSchema } from '../../database/current-schema.ts';
import type { Database } from '../../database/database.ts';
import { requireConnections } from '../../database/postgres/connection-limit.ts';
import { measureSchemas } from '../../database/postgres/measure.ts';
import { requireNoOtherSessions } from '../other-sessions.ts';
import { applicationSchemaOf, renameToApplicationSchema } from './application-schema.ts';
import { type EmptyPlace, prepareFromSqlite } from '../row-by-row/into-postgres.ts';
import { failedLoad, unpackDump, upgradeAndVerify, withConnection, restorerFor } from '../load-and-verify.ts';
import type { RestoreContext, RestoreTarget, RestoreSource } from '../target.ts';
import { restoreMessages } from '../../report/restore-messages.ts';
import { recreateUnarchived } from '../unarchived.ts';
import type { MaintenanceConnection } from '../../database/postgres/maintenance-connection.ts';
import { quoteName } from '../../platform/sql-quoting.ts';
import { optionalText } from '../../database/row-values.ts';

/** The most jobs of pg_restore: a server has other work, and usually only a hundred connections. */
const maximumJobs = 8;

/** Seconds to wait for a former database: it exists already, and a closed one will not open. */
const shortLockTimeout = 5;

const withShortTimeout = (config: Config): Config => ({
  ...config,
  waitTimeout: Math.min(config.waitTimeout, shortLockTimeout),
});

/** PostgreSQL truncates longer names (NAMEDATALEN). */
const longestName = 63;

/**
 * Swaps whole databases: the archive is restored into a database beside the live one, then both are renamed. The live
 * database is closed only during the renaming.
 * @param live null to recover what another run left: then nothing new can be restored
 */
export function databaseSwapTarget(
  target: PostgresTarget,
  maintenance: MaintenanceConnection,
  live: Database | null,
  context: RestoreContext,
): RestoreTarget {
  return {
    swapKind: 'databases',

    names: (id) => ({
      live: target.database,
      incoming: nameBeside(target.database, `_restore_${id}`),
      outgoing: nameBeside(target.database, `_before_${id}`),
    }),

    async prepare(source, { incoming }) {
      if (live === null) throw new Error('a restore without the live database');
      const given = { target, maintenance, live, context };
      if (source.archive.engine === 'postgresql') return prepareFromDump(source, incoming, given);
      await prepareFromSqlite(source, incoming, live, context, () => createEmptyDatabase(incoming, given));
    },

    async swap(source, { incoming, outgoing }) {
      if (source !== null) {
        await withConnection({ ...target, database: incoming }, context, (restored) =>
          recreateUnarchived(source.unarchived, restored, context.log),
        );
        for (const lost of await maintenance.copySettings(incoming))
          context.log.warn(restoreMessages.notCarriedOver(lost));
      }
      // our own session would block the renaming as well: close it first
      await live?.close();
      requireNoOtherSessions(await maintenance.swap(incoming, outgoing, context.disconnect), target.database);
    },

    async recover({ names }) {
      const swapped = await maintenance.exists(names.outgoing);
      await maintenance.reopen();
      return swapped ? 'swapped' : 'not-swapped';
    },

    discard: ({ incoming }) => maintenance.drop(incoming),
    exists: (name) => maintenance.exists(name),
    isHalfDropped: (name) => maintenance.isDropped(name),
    measure: (kept) =>
      withConnection(
        { ...target, database: kept },
        { ...context, config: withShortTimeout(context.config) },
        (former) => former.read((session) => measureSchemas(session, null)),
      ),
    drop: (kept) => maintenance.drop(kept),
    close: () => maintenance.close(),
  };
}

interface DatabaseSwap {
  readonly target: PostgresTarget;
  readonly maintenance: MaintenanceConnection;
  readonly live: Database;
  readonly context: RestoreContext;
}

/** Creates the empty database for the rows of a SQLite database. */
async function createEmptyDatabase(
  incoming: string,
  { target, maintenance, live, context }: DatabaseSwap,
): Promise<EmptyPlace> {
  const [role, schema] = [await ownerOf(live), await applicationSchemaOf(live)];
  await maintenance.create(incoming);
  context.log.info(restoreMessages.intoDatabase(incoming, null));
  const before = [`CREATE SCHEMA IF NOT EXISTS ${quoteName(schema)}`];
  return { target: { ...target, database: incoming, schema }, before, role };
}

/**
 * Creates the new database from a dump. Unless the operator trusts the archive, a new role without other rights loads
 * it and migrates it; afterwards the objects get the owner of the live ones.
 * @throws Failure `archive-rejected`, `restore-refused`
 */
async function prepareFromDump(
  source: RestoreSource,
  incoming: string,
  { target, maintenance, live, context }: DatabaseSwap,
): Promise<void> {
  const jobs = Math.min(availableParallelism(), maximumJobs, await requireConnections(live, 1, 'load'));
  const dump = await unpackDump(source, context);
  const { restorer, warnings } = await restorerFor(dump, source, live, target, context);
  for (const warning of warnings) context.log.warn(`${warning}.`);
  const owner = await ownerOf(live);
  const schema = await applicationSchemaOf(live);
  const { signal, log } = context;
  // settings of the live database do not apply to this one
  const prepared: PostgresTarget = { ...target, database: incoming, schema };
  let loadRole: PostgresTarget | null = null;
  try {
    await maintenance.create(incoming);
    if (!context.trusted) loadRole = await openLoadRole(prepared, maintenance, context);
    log.info(restoreMessages.intoDatabase(incoming, restorer.tool));
    const role = loadRole === null ? owner : null;
    await restorer.loadIntoDatabase(loadRole ?? prepared, { role, jobs, signal });
  } catch (error) {
    throw await failedLoad(error, source, context);
  }
  await rm(dump, { force: true });
  await withConnection(loadRole ?? prepared, context, async (database) => {
    // objects that migrations create get the same owner as all others
    if (loadRole === null && owner !== null) {
      await database.transaction((session) => session.run(`SET ROLE ${quoteName(owner)}`));
    }
    await renameToApplicationSchema(database, schema);
    await upgradeAndVerify(database, source, context);
  });
  if (loadRole !== null) await maintenance.dropOwner(incoming, owner);
}

/**
 * The connection for loading an archive: as a new role that owns nothing but this database.
 * @returns null if we are not a superuser, or if the server's pg_hba.conf does not accept the role
 */
async function openLoadRole(
  scratch: PostgresTarget,
  maintenance: MaintenanceConnection,
  { log }: RestoreContext,
): Promise<PostgresTarget | null> {
  const role = await maintenance.createOwner(scratch.database);
  if (role !== null && typeof role !== 'string') return { ...scratch, ...role };
  if (role !== null) log.warn(restoreMessages.loadedAs(scratch.user, role));
  return null;
}

/** `timetracker_before_20261123_201500`, the name is shortened, so that the server does not truncate it. */
function nameBeside(name: string, suffix: string): string {
  const bytes = Buffer.from(name).subarray(0, longestName - Buffer.byteLength(suffix));
  // leave out a character that was cut in two
  return new TextDecoder().decode(bytes, { stream: true }) + suffix;
}

/**
 * The owner of the application's tables (or of the database if there are none yet), if it is another role and we may
 * act for it.
 */
async function ownerOf(live: Database): Promise<string | null> {
  return live.read(async (session) => {
    const [row] = await session.query(
      `SELECT CASE WHEN pg_get_userbyid(owner) <> current_user AND pg_has_role(owner, 'MEMBER')
                   THEN pg_get_userbyid(owner) END AS owner
       FROM (SELECT relowner AS owner, relname FROM pg_class
             WHERE relnamespace = ${currentSchema} AND relkind IN ('r', 'p')
               AND relname IN ('users', 'alembic_version')
             UNION ALL SELECT datdba, '' FROM pg_database WHERE datname = current_database()) AS owners
       ORDER BY relname DESC LIMIT 1`,
    );
    return row === undefined ? null : optionalText(row, 'owner');
  });
}
