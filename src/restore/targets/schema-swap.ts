import type { PostgresTarget } from '../../config/config.ts';
import type { Database } from '../../database/database.ts';
import { dropSchema } from '../../database/postgres/dependents.ts';
import { measureSchemas } from '../../database/postgres/measure.ts';
import { runLock } from '../../database/postgres/lock.ts';
import { quoteName } from '../../platform/sql-quoting.ts';
import { number, optionalText, text } from '../../database/row-values.ts';
import type { Session } from '../../database/session.ts';
import { pauseBeforeAttempt, sleep } from '../../database/backoff.ts';
import { Failure } from '../../errors/failure.ts';
import { withoutOtherSessions } from '../other-sessions.ts';
import type { SwapNames } from '../../state-folder/journal.ts';
import { loadIntoPostgres } from '../row-by-row/into-postgres.ts';
import { copyAtHead } from '../row-by-row/sqlite-copy.ts';
import {
  failedLoad,
  unpackDump,
  upgradeAndVerify,
  withConnection,
  restorerFor,
  withoutManifest,
} from '../load-and-verify.ts';
import type { RestoreContext, RestoreTarget, RestoreSource } from '../target.ts';
import { restoreMessages } from '../../report/restore-messages.ts';
import { recreateUnarchived } from '../unarchived.ts';
import { quarantineNameFor } from '../row-by-row/set-aside.ts';

/** How often sessions are ended. */
const mostAttempts = 20;

/**
 * Swaps schemas, for a user who may not create databases: one transaction renames the application's schema and
 * restores the archive into a new one. The new schema is live from then on, and is migrated after that. Until it is
 * verified, recovery can only roll it back. The run lock, which this connection holds all the time, is the lock.
 * @param schema the schema that the application uses
 */
export function schemaSwapTarget(
  target: PostgresTarget,
  schema: string,
  live: Database,
  context: RestoreContext,
): RestoreTarget {
  const swapInTransaction = (statements: readonly string[], schemas: readonly string[]): Promise<void> =>
    withoutOtherSessions(live, schemas, context, (exclusion) =>
      live.transaction((session) => session.run(`${exclusion}${statements.join(';')}`)),
    );
  const rollBackSwap = ({ outgoing }: SwapNames): Promise<void> =>
    withoutOtherSessions(live, [schema, outgoing], context, (exclusion) =>
      live.transaction(async (session) => {
        await session.run(exclusion);
        await dropSchema(session, schema);
        await session.run(rename(outgoing, schema));
      }),
    );
  const schemaExists = (name: string): Promise<boolean> =>
    live.read(
      async (session) =>
        (await session.query('SELECT to_regnamespace($1) AS oid', [quoteName(name)]))[0]?.['oid'] !== null,
    );

  /**
   * Makes a schema beside the application's from the rows of a SQLite database; it is healthy before it becomes live.
   */
  const prepareFromSqlite = async (source: RestoreSource, places: SwapNames): Promise<void> => {
    const { incoming } = places;
    const copy = await copyAtHead(source, live.name, context);
    context.log.info(restoreMessages.intoSchemaBeside(incoming, schema));
    const before = await live.read((session) => createSchemaLike(session, incoming, schema));
    const ours: PostgresTarget = { ...target, schema: incoming };
    await loadIntoPostgres(copy, { target: ours, before, role: null, incoming }, source, context);
    await withConnection(ours, context, (database) => upgradeAndVerify(database, withoutManifest(source), context));
  };

  return {
    swapKind: 'schemas',
    places: (id) => ({ live: schema, incoming: `tt_restore_${id}`, outgoing: `tt_before_${id}` }),

    async prepare(source, places, rehearsed) {
      await requireSchemaRights(live);
      if (source.archive.engine === 'sqlite') return prepareFromSqlite(source, places);
      const dump = await unpackDump(source, context);
      const loader = await restorerFor(dump, source, live, target, context);
      if (!rehearsed) return;
      const { signal, log } = context;
      for (const line of restoreMessages.rehearsedInTransaction) log.warn(line);
      const { before } = await live.read((session) => renamesAroundLoad(session, loader.schema, places));
      await loader
        .inOneTransaction(target, { before, after: '', commit: false, role: null, signal })
        .catch(async (error: unknown) => {
          throw await failedLoad(error, source, context);
        });
    },

    async swap(source, places) {
      if (source === null || source.archive.engine === 'sqlite') {
        const { incoming, outgoing } = places;
        await swapInTransaction([rename(schema, outgoing), rename(incoming, schema)], [schema, incoming]);
        if (source !== null) await recreateUnarchived(source.unarchived, live, context.log);
        return;
      }
      const { signal, log } = context;
      const loader = await restorerFor(`${source.folder}/db.dump`, source, live, target, context);
      log.info(restoreMessages.intoNewSchema(schema, loader.tool, places.outgoing));
      const frame = await live.read((session) => renamesAroundLoad(session, loader.schema, places));
      const after = `${frame.after}${await live.read(requireLockHeld)}`;
      await withoutOtherSessions(live, [schema, loader.schema], context, (exclusion) => {
        const before = `${exclusion}${frame.before}`;
        return loader.inOneTransaction(target, { before, after, commit: true, role: null, signal });
      }).catch(async (error: unknown) => {
        throw error instanceof Failure ? error : await failedLoad(error, source, context);
      });
      await upgradeAndVerify(live, source, context);
      await recreateUnarchived(source.unarchived, live, log);
    },

    async recover({ action, phase, places }) {
      await endLoadSessions(live, context.signal);
      if (!(await schemaExists(places.outgoing))) return 'not-swapped';
      if (action === 'undo' || phase === 'finishing') return 'swapped';
      await rollBackSwap(places);
      return 'not-swapped';
    },

    async discard({ incoming }) {
      // only the rows of a SQLite database are loaded into a schema beside the live one
      await endLoadSessions(live, context.signal);
      for (const name of [quarantineNameFor(incoming), incoming]) {
        if (await schemaExists(name)) await live.transaction((session) => dropSchema(session, name));
      }
    },
    exists: schemaExists,
    isHalfDropped: () => Promise.resolve(false),
    measure: (kept) => live.read((session) => measureSchemas(session, kept)),
    drop: (kept) => live.transaction((session) => dropSchema(session, kept)),
    close: () => Promise.resolve(),
  };
}

/**
 * Keeps psql from committing after its run has died, when another run may have recovered already: it checks that the
 * same session still holds the run lock.
 */
async function requireLockHeld(session: Session): Promise<string> {
  const { application, key } = runLock;
  const [row = {}] = await session.query('SELECT pg_backend_pid() AS pid');
  return `SELECT CAST(CASE WHEN EXISTS (
            SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = ${application} AND objid = ${key}
              AND pid = ${number(row, 'pid')} AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
          ) THEN '0' ELSE 'the run that ordered this is gone' END AS int)`;
}

/** Ends a psql that a dead run has left. Only then it is known whether psql has committed. */
async function endLoadSessions(live: Database, signal: AbortSignal): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const pids = await live.read((session) =>
      session.query(
        `SELECT pid, pg_terminate_backend(pid) AS told FROM pg_stat_activity
         WHERE datname = current_database() AND application_name LIKE 'db-init load %'`,
      ),
    );
    if (pids.length === 0) return;
    if (attempt === mostAttempts)
      throw new Error(
        `a session of the former run does not end: pid ${pids.map((row) => number(row, 'pid')).join(', ')}`,
      );
    await sleep(pauseBeforeAttempt(attempt), signal);
  }
}

const rename = (from: string, to: string): string => `ALTER SCHEMA ${quoteName(from)} RENAME TO ${quoteName(to)}`;

/**
 * The SQL around a load. Before the load it renames the present schema, and makes a new one with the same grants. If
 * the dump's schema has another name, it is renamed after the load; another schema with the dump's name is renamed
 * during the load.
 */
async function renamesAroundLoad(
  session: Session,
  held: string,
  { live, incoming, outgoing }: SwapNames,
): Promise<{ readonly before: string; readonly after: string }> {
  const taken =
    held !== live && (await session.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [held])).length > 0;
  const statements = (...all: readonly string[]): string => all.map((statement) => `${statement};\n`).join('');
  return {
    before: statements(
      rename(live, outgoing),
      ...(taken ? [rename(held, incoming)] : []),
      ...(await createSchemaLike(session, held, live)),
    ),
    after: statements(...(held === live ? [] : [rename(held, live)]), ...(taken ? [rename(incoming, held)] : [])),
  };
}

/** The statements that make a schema with the grants of another one. */
async function createSchemaLike(session: Session, schema: string, like: string): Promise<readonly string[]> {
  const grants = await session.query(
    `SELECT privilege_type AS privilege, CASE WHEN grantee = 0 THEN NULL ELSE pg_get_userbyid(grantee) END AS grantee
     FROM pg_namespace, aclexplode(nspacl) WHERE nspname = $1 AND grantee <> nspowner`,
    [like],
  );
  return [
    `CREATE SCHEMA ${quoteName(schema)}`,
    ...grants.map((row) => {
      const grantee = optionalText(row, 'grantee');
      const whom = grantee === null ? 'PUBLIC' : quoteName(grantee);
      return `GRANT ${text(row, 'privilege')} ON SCHEMA ${quoteName(schema)} TO ${whom}`;
    }),
  ];
}

/** Both kinds of swap need rights; the failure names those of each. @throws Failure `missing-rights` */
export async function requireSchemaRights(live: Database): Promise<void> {
  const missing = await live.read(async (session) => {
    const [row = {}] = await session.query(
      `SELECT quote_ident(current_user) AS user, quote_ident(current_database()) AS database,
              quote_ident(current_schema()) AS schema
       WHERE NOT (has_database_privilege(current_database(), 'CREATE')
                  AND coalesce((SELECT pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = current_schema()), false))`,
    );
    if (row['user'] === undefined) return null;
    return { user: text(row, 'user'), database: text(row, 'database'), schema: text(row, 'schema') };
  });
  if (missing === null) return;
  const { user, database, schema } = missing;
  const right = {
    action: `create a database beside the live one, nor rename schema ${schema}`,
    remedy: `ALTER ROLE ${user} CREATEDB; ALTER DATABASE ${database} OWNER TO ${user};`,
  };
  throw new Failure({ kind: 'missing-rights', database: live.name, rights: [right] });
}
