import type { Database } from '../database/database.ts';
import { only, text } from '../database/rows.ts';
import { Failure } from '../errors/failure.ts';

/** The revision whose first rows hold signs beyond every older encoding. */
const revisionThatNeedsUnicode = '037_advanced_expenses';

/** SQL_ASCII takes any bytes as they are. */
const fittingEncodings = new Set(['UTF8', 'SQL_ASCII']);

/**
 * Makes sure that a database can hold what pending revisions insert, before anything is begun or deleted.
 * @throws Failure `unfit-encoding`
 */
export async function requireEncoding(pending: readonly string[], database: Database): Promise<void> {
  if (database.engine !== 'postgresql' || !pending.includes(revisionThatNeedsUnicode)) return;
  const encoding = await database.read(async (session) =>
    text(only(await session.query(`SELECT current_setting('server_encoding') AS encoding`)), 'encoding'),
  );
  if (!fittingEncodings.has(encoding)) throw new Failure({ kind: 'unfit-encoding', database: database.name, encoding });
}
