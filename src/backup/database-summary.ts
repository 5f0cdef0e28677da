import type { Row } from '../model/engine.ts';
import { currentSchema } from '../database/current-schema.ts';
import { quoteName } from '../platform/sql-quoting.ts';
import { number, text } from '../database/row-values.ts';
import type { Session } from '../database/session.ts';
import { readSampleRows } from '../database/sample-rows.ts';
import { versionTable } from '../schema/catalog.ts';
import { namesSecret } from '../database/secret-columns.ts';

/** What a manifest says about the content of a database. */
export interface DatabaseSummary {
  /** The rows of alembic_version; none if there is no such table. */
  readonly revisions: readonly string[];
  readonly rows: Readonly<Record<string, number>>;
  /** The application's settings, for people to read: of a secret only whether it is set. */
  readonly settings: Readonly<Record<string, unknown>>;
}

const tablesQuery = {
  postgresql: `SELECT relname AS name FROM pg_class
               WHERE relnamespace = ${currentSchema} AND relkind IN ('r', 'p') ORDER BY 1`,
  sqlite: `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY 1`,
};

/** Reads the summary in the snapshot of the session. */
export async function readSummary(session: Session): Promise<DatabaseSummary> {
  const tables = (await session.query(tablesQuery[session.engine])).map((row) => text(row, 'name'));
  const rows: Record<string, number> = {};
  for (const table of tables) {
    const [counted = {}] = await session.query(`SELECT count(*) AS rows FROM ${quoteName(table)}`);
    rows[table] = number(counted, 'rows');
  }
  const versions = tables.includes(versionTable)
    ? await session.query(
        `SELECT coalesce(CAST(version_num AS text), '') AS version_num FROM ${versionTable} ORDER BY 1`,
      )
    : [];
  const [settings = {}] = tables.includes('settings') ? await readSampleRows(session, 'settings', 1) : [];
  return { revisions: versions.map((row) => text(row, 'version_num')), rows, settings: withoutSecrets(settings) };
}

export async function holdsRows(session: Session, tables: readonly string[]): Promise<boolean> {
  if (tables.length === 0) return false;
  const questions = tables.map((table) => `EXISTS (SELECT 1 FROM ${quoteName(table)})`);
  const [row = {}] = await session.query(`SELECT CASE WHEN ${questions.join(' OR ')} THEN 1 ELSE 0 END AS found`);
  return number(row, 'found') === 1;
}

/** The columns, sorted by name. A secret becomes `<name>_set`, as the application shows it. */
function withoutSecrets(settings: Row): Readonly<Record<string, unknown>> {
  const shown = new Map(
    Object.entries(settings).map(([name, value]) =>
      namesSecret(name) ? [`${name}_set`, value !== null && value !== ''] : [name, value],
    ),
  );
  return Object.fromEntries([...shown].toSorted(([one], [other]) => one.localeCompare(other, 'en')));
}
