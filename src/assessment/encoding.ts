import type { Database } from '../database/database.ts';
import { only, text } from '../database/row-values.ts';
import { Failure } from '../errors/failure.ts';

/** The revision that inserts rows with characters (emoji) that only Unicode encodings have. */
const revisionThatNeedsUnicode = '037_advanced_expenses';

/** SQL_ASCII stores any bytes unchanged. */
const fittingEncodings = new Set(['UTF8', 'SQL_ASCII']);

/**
 * Checks, before anything is written, that the encoding of the database can hold the rows of pending revisions.
 * @throws Failure `unfit-encoding`
 */
export async function requireEncoding(pending: readonly string[], database: Database): Promise<void> {
  if (database.engine !== 'postgresql' || !pending.includes(revisionThatNeedsUnicode)) return;
  const encoding = await database.read(async (session) =>
    text(only(await session.query(`SELECT current_setting('server_encoding') AS encoding`)), 'encoding'),
  );
  if (!fittingEncodings.has(encoding)) throw new Failure({ kind: 'unfit-encoding', database: database.name, encoding });
}
