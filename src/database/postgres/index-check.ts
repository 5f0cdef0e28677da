import type { BrokenIndex } from '../../model/database-facts.ts';
import { codeOf } from '../../errors/error-code.ts';
import { reasonOf } from '../../errors/failure.ts';
import { currentSchema } from '../current-schema.ts';
import type { Database } from '../database.ts';
import { quoteName } from '../../platform/sql-quoting.ts';
import { optionalText, text } from '../row-values.ts';
import type { Session } from '../session.ts';

const damage = /^XX00[0-2]$/;

/** The schema of the extension amcheck, if it is installed and this role may use it. */
const amcheckQuery = `
  SELECT n.nspname::text AS schema FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
  WHERE e.extname = 'amcheck' AND has_schema_privilege(n.oid, 'USAGE')
    AND has_function_privilege(to_regprocedure(quote_ident(n.nspname) || '.bt_index_check(regclass)'), 'EXECUTE')`;

/** Unique indexes with a column that has a collation. */
const indexesQuery = `
  SELECT i.oid::text AS oid, i.relname::text AS name, t.relname::text AS table, format('%I.%I', n.nspname, i.relname) AS place
  FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
  JOIN pg_namespace n ON n.oid = i.relnamespace JOIN pg_am a ON a.oid = i.relam
  WHERE t.relnamespace = ${currentSchema} AND i.relkind = 'i' AND i.relpersistence <> 't' AND a.amname = 'btree'
    AND x.indisunique AND x.indisvalid AND x.indisready AND EXISTS (SELECT FROM unnest(x.indcollation) c WHERE c <> 0)
  ORDER BY i.relname`;

/**
 * Checks the unique indexes over text if the extension amcheck is installed and this role may use it: the sort order
 * of text may have changed since they were built (PostgreSQL manual, "Collation Support" and "amcheck"). Reads only.
 */
export async function findBrokenIndexes(database: Pick<Database, 'read'>): Promise<readonly BrokenIndex[]> {
  const [schema, rows] = await database.read(async (session) => {
    const [row] = await session.query(amcheckQuery);
    const found = row === undefined ? null : optionalText(row, 'schema');
    return [found, found === null ? [] : await session.query(indexesQuery)];
  });
  if (schema === null || rows.length === 0) return [];
  const check = async (session: Session, oids: readonly string[]): Promise<void> => {
    await session.query(
      `SELECT ${quoteName(schema)}.bt_index_check(oid::oid::regclass) FROM unnest('{${oids.join()}}'::text[]) AS oid`,
    );
  };
  const oids = rows.map((row) => text(row, 'oid'));
  // one query checks all indexes; if it fails, each is checked alone, because a broken index aborts the transaction
  if ((await faultOf(() => database.read((session) => check(session, oids)))) === null) return [];
  const broken: BrokenIndex[] = [];
  for (const row of rows) {
    const reason = await faultOf(() => database.read((session) => check(session, [text(row, 'oid')])));
    if (reason === null) continue;
    broken.push({
      name: text(row, 'name'),
      table: text(row, 'table'),
      reason,
      remedy: `REINDEX INDEX ${text(row, 'place')}`,
    });
  }
  return broken;
}

/** Returns the message of a failed check; null if it passed. */
async function faultOf(work: () => Promise<void>): Promise<string | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (damage.test(codeOf(error) ?? '')) return reasonOf(error);
    throw error;
  }
}
