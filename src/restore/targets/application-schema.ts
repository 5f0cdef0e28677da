import { sharesDatabase } from '../../database/current-schema.ts';
import type { Database } from '../../database/database.ts';
import { quoteName } from '../../platform/sql-quoting.ts';
import { flag, only, optionalText } from '../../database/row-values.ts';
import { Failure } from '../../errors/failure.ts';
import { restoreReasons } from '../../report/restore-reasons.ts';

/** The schema that the application uses. PostgreSQL only. @throws Failure `restore-refused` if there is none */
export async function applicationSchemaOf(live: Database): Promise<string> {
  const schema = await live.read(async (session) =>
    optionalText(only(await session.query('SELECT current_schema()::text AS name')), 'name'),
  );
  if (schema !== null) return schema;
  const obstacle = {
    kind: 'failed',
    step: 'find-schema',
    reason: restoreReasons.noApplicationSchema,
    cause: { kind: 'other' },
  } as const;
  throw new Failure({ kind: 'restore-refused', database: live.name, obstacle });
}

/** Whether other applications have objects in the live database. Then the whole database is not swapped. */
export async function isDatabaseShared(live: Database): Promise<boolean> {
  return live.read(async (session) => flag(only(await session.query(`SELECT ${sharesDatabase} AS shared`)), 'shared'));
}

/**
 * Gives the schema of a loaded database the name of the live schema: an archive may come from an installation that
 * uses another schema.
 */
export async function renameToApplicationSchema(loaded: Database, schema: string): Promise<void> {
  const { relations, elsewhere } = await loaded.observe('quick');
  const [loadedSchema, ...others] = elsewhere;
  if (relations.length > 0 || loadedSchema === undefined || others.length > 0) return;
  await loaded.transaction((session) =>
    session.run(
      `DROP SCHEMA IF EXISTS ${quoteName(schema)}; ALTER SCHEMA ${quoteName(loadedSchema)} RENAME TO ${quoteName(schema)}`,
    ),
  );
}
