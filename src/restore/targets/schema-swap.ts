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
import { type EmptyPlace, prepareFromSqlite } from '../row-by-row/into-postgres.ts';
import { failedLoad, unpackDump, upgradeAndVerify, restorerFor } from '../load-and-verify.ts';
import type { RestoreContext, RestoreTarget, RestoreSource } from '../target.ts';
import { restoreMessages } from '../../report/restore-messages.ts';
import { recreateUnarchived } from '../unarchived.ts';
import { quarantineNameOfRestore } from '../../quarantine/names.ts';
import { restoreReasons } from '../../report/restore-reasons.ts';

/** The most attempts to end the sessions of a dead run. */
const mostAttempts = 20;

/**
 * The target of a user who may not create databases: the swap renames schemas of the live database. The archive's
 * schema has the name of the application's schema from the swap on; the former schema gets another name and is kept.
 *
 * A dump of PostgreSQL is loaded during the swap: one transaction renames the present schema, and loads the dump into
 * a new one. The new schema is live after the commit; only then is it migrated and verified. Until the journal says
 * `finishing`, recovery rolls the swap back. The rows of a SQLite database are loaded into a schema beside the live
 * one, and verified there before the swap.
 *
 * The connection of `live` holds the run lock until the end, so no second run works on the same schemas.
 * @param target the connection settings, for psql and for further connections
 * @param schema the schema that the application uses
 * @param live the open live database, under its run lock
 */
export function schemaSwapTarget(
  target: PostgresTarget,
  schema: string,
  live: Database,
  context: RestoreContext,
): RestoreTarget {
  const given: SchemaSwap = { target, schema, live, context };
  return {
    swapKind: 'schemas',
    names: (id) => ({ live: schema, incoming: `tt_restore_${id}`, outgoing: `tt_before_${id}` }),

    async prepare(source, names, rehearsed) {
      await requireSchemaRights(live);
      if (source.archive.engine === 'sqlite') {
        return prepareFromSqlite(source, names.incoming, live, context, () => describeEmptySchema(names, given));
      }
      const dump = await unpackDump(source, context);
      const { restorer, warnings } = await restorerFor(dump, source, live, target, context);
      const { signal, log } = context;
      for (const warning of warnings) log.warn(`${warning}.`);
      if (!rehearsed) return;
      for (const line of restoreMessages.rehearsedInTransaction) log.warn(line);
      const { before } = await live.read((session) => renamesAroundLoad(session, restorer.schema, names));
      await restorer
        .loadInTransaction(target, { before, after: '', commit: false, role: null, signal })
        .catch(async (error: unknown) => {
          throw await failedLoad(error, source, context);
        });
    },

    async swap(source, names) {
      if (source !== null && source.archive.engine === 'postgresql') return swapWhileLoading(source, names, given);
      const { incoming, outgoing } = names;
      const renames = [rename(schema, outgoing), rename(incoming, schema)].join(';');
      await withoutOtherSessions(live, [schema, incoming], context, (exclusiveAccessSql) =>
        live.transaction((session) => session.run(`${exclusiveAccessSql}${renames}`)),
      );
      if (source !== null) await recreateUnarchived(source.unarchived, live, context.log);
    },

    async recover({ action, phase, names }) {
      await endLoadSessions(live, context.signal);
      if (!(await schemaExists(live, names.outgoing))) return 'not-swapped';
      if (action === 'undo' || phase === 'finishing') return 'swapped';
      await rollBackSwap(names, given);
      return 'not-swapped';
    },

    async discard({ incoming }) {
      await endLoadSessions(live, context.signal);
      // they exist only if the archive holds a SQLite database
      for (const name of [quarantineNameOfRestore(incoming), incoming]) {
        if (await schemaExists(live, name)) await live.transaction((session) => dropSchema(session, name));
      }
    },
    exists: (name) => schemaExists(live, name),
    isHalfDropped: () => Promise.resolve(false),
    measure: (kept) => live.read((session) => measureSchemas(session, kept)),
    drop: (kept) => live.transaction((session) => dropSchema(session, kept)),
    close: () => Promise.resolve(),
  };
}

interface SchemaSwap {
  readonly target: PostgresTarget;
  readonly schema: string;
  readonly live: Database;
  readonly context: RestoreContext;
}

/** Describes the empty schema for the rows of a SQLite database: the load creates it. */
async function describeEmptySchema(
  { incoming }: SwapNames,
  { target, schema, live, context }: SchemaSwap,
): Promise<EmptyPlace> {
  context.log.info(restoreMessages.intoSchemaBeside(incoming, schema));
  const before = await live.read((session) => createSchemaLike(session, incoming, schema));
  return { target: { ...target, schema: incoming }, before, role: null };
}

/**
 * Renames the present schema and loads the dump into a new one, in one transaction of psql; then migrates and verifies
 * the new schema, which is live already.
 * @throws Failure `archive-rejected`, `restore-refused`
 */
async function swapWhileLoading(
  source: RestoreSource,
  names: SwapNames,
  { target, schema, live, context }: SchemaSwap,
): Promise<void> {
  const { signal, log } = context;
  const { restorer } = await restorerFor(`${source.folder}/db.dump`, source, live, target, context);
  log.info(restoreMessages.intoNewSchema(schema, restorer.tool, names.outgoing));
  const renames = await live.read((session) => renamesAroundLoad(session, restorer.schema, names));
  const after = `${renames.after}${await live.read(requireLockHeld)}`;
  await withoutOtherSessions(live, [schema, restorer.schema], context, (exclusiveAccessSql) => {
    const before = `${exclusiveAccessSql}${renames.before}`;
    return restorer.loadInTransaction(target, { before, after, commit: true, role: null, signal });
  }).catch(async (error: unknown) => {
    throw error instanceof Failure ? error : await failedLoad(error, source, context);
  });
  await upgradeAndVerify(live, source, context);
  await recreateUnarchived(source.unarchived, live, log);
}

/** Drops the schema that the swap has made live, and gives the former schema its name back, in one transaction. */
function rollBackSwap({ outgoing }: SwapNames, { schema, live, context }: SchemaSwap): Promise<void> {
  return withoutOtherSessions(live, [schema, outgoing], context, (exclusiveAccessSql) =>
    live.transaction(async (session) => {
      await session.run(exclusiveAccessSql);
      await dropSchema(session, schema);
      await session.run(rename(outgoing, schema));
    }),
  );
}

async function schemaExists(live: Database, name: string): Promise<boolean> {
  const [row] = await live.read((session) => session.query('SELECT to_regnamespace($1) AS oid', [quoteName(name)]));
  return row?.['oid'] !== null;
}

/**
 * The SQL that ends the transaction of psql: it fails unless the session of this run still holds the run lock. Without
 * it, psql could commit after its run has died, and after another run has recovered the journal.
 */
async function requireLockHeld(session: Session): Promise<string> {
  const { application, key } = runLock;
  const [row = {}] = await session.query('SELECT pg_backend_pid() AS pid');
  return `SELECT CAST(CASE WHEN EXISTS (
            SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = ${application} AND objid = ${key}
              AND pid = ${number(row, 'pid')} AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
          ) THEN '0' ELSE '${restoreReasons.lockLost}' END AS int)`;
}

/**
 * Ends the psql sessions of a dead run, and waits until they have ended. Only then is it certain whether psql has
 * committed.
 * @throws Error if one does not end
 */
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
      throw new Error(restoreReasons.remainingSessions(pids.map((row) => number(row, 'pid'))));
    await sleep(pauseBeforeAttempt(attempt), signal);
  }
}

const rename = (from: string, to: string): string => `ALTER SCHEMA ${quoteName(from)} RENAME TO ${quoteName(to)}`;

/**
 * The SQL before and after a load. Before the load: renames the live schema to `outgoing`, and creates an empty schema
 * with the name in the dump and the grants of the live one. After the load: renames that schema to the live name, if
 * the dump has another name. If a schema of the name in the dump exists already, it has the name `incoming` during the
 * load.
 * @param dumpSchema the schema's name in the dump
 */
async function renamesAroundLoad(
  session: Session,
  dumpSchema: string,
  { live, incoming, outgoing }: SwapNames,
): Promise<{ readonly before: string; readonly after: string }> {
  const taken =
    dumpSchema !== live &&
    (await session.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [dumpSchema])).length > 0;
  const statements = (...all: readonly string[]): string => all.map((statement) => `${statement};\n`).join('');
  return {
    before: statements(
      rename(live, outgoing),
      ...(taken ? [rename(dumpSchema, incoming)] : []),
      ...(await createSchemaLike(session, dumpSchema, live)),
    ),
    after: statements(
      ...(dumpSchema === live ? [] : [rename(dumpSchema, live)]),
      ...(taken ? [rename(incoming, dumpSchema)] : []),
    ),
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

/**
 * Checks the rights to rename the application's schema and to create another one.
 * @throws Failure `missing-rights` that names what a swap of databases and a swap of schemas need
 */
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
    action: { kind: 'swap', schema },
    remedy: `ALTER ROLE ${user} CREATEDB; ALTER DATABASE ${database} OWNER TO ${user};`,
  } as const;
  throw new Failure({ kind: 'missing-rights', database: live.name, rights: [right] });
}
