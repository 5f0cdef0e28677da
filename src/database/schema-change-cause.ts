import type { Cause, Dependent } from '../model/cause.ts';
import { chainOf, codeOf } from '../errors/error-code.ts';
import { causeOf } from './error-cause.ts';
import type { Database } from './database.ts';
import { findDependentViews } from './postgres/dependent-views.ts';
import { findEventTriggers } from './postgres/event-triggers.ts';
import { quoteName } from '../platform/sql-quoting.ts';
import { text } from './row-values.ts';
import type { Session } from './session.ts';

/**
 * Determines the cause of a failed schema change, with the owner's objects that prevented it (dependent views, event
 * triggers). The failed transaction has ended, so the catalog is queried again.
 */
export async function causeOfSchemaChange(database: Database, error: unknown): Promise<Cause> {
  const cause = causeOf(error);
  if (cause.kind !== 'other') return cause;
  // if the catalog cannot be read, the cause that the error itself gives is used
  const found = await database.read((session) => findBlockingObjects(session, error)).catch(() => null);
  return found ?? cause;
}

async function findBlockingObjects(session: Session, error: unknown): Promise<Cause | null> {
  const chain = chainOf(error);
  if (session.engine === 'sqlite') return findDependentsInSqlite(session, chain);
  const codes = chain.map(codeOf);
  if (codes.some((code) => code === '2BP01' || code === '0A000')) {
    const place = chain.map(failedStatementTarget).find((each) => each !== null);
    const objects = place === undefined ? [] : await findDependentViews(session, place.table, place.column);
    if (objects.length > 0) return { kind: 'dependents', objects };
  }
  const triggers = await findEventTriggers(session, chain.map(contextOf).join('\n'));
  return triggers.length > 0 ? { kind: 'event-triggers', triggers } : null;
}

const name = `"((?:[^"]|"")+)"`;
const alteration = new RegExp(`^(?:ALTER|DROP) TABLE (?:IF EXISTS )?${name}(?:.*?(?:DROP|ALTER) COLUMN ${name})?`, 's');

/** The table and column of the schema builder's statement that failed; null if the error has no such statement. */
function failedStatementTarget(link: Error): { readonly table: string; readonly column: string | null } | null {
  const statement = 'statement' in link ? String(link.statement) : '';
  const [, table, column] = alteration.exec(statement) ?? [];
  const plain = (quoted: string): string => quoted.replaceAll('""', '"');
  return table === undefined ? null : { table: plain(table), column: column === undefined ? null : plain(column) };
}

/** The CONTEXT of a server error: the functions that were running when the statement failed. */
const contextOf = (link: Error): string => ('where' in link ? String(link.where) : '');

/** SQLite's message names the view or trigger that would no longer compile. */
async function findDependentsInSqlite(session: Session, chain: readonly Error[]): Promise<Cause | null> {
  const rows = await session.query(`SELECT type, name, sql FROM sqlite_master WHERE type IN ('view', 'trigger')`);
  const objects = rows.flatMap((row): Dependent[] => {
    const [what, called] = [text(row, 'type'), text(row, 'name')];
    const named = chain.some(({ message }) => message.startsWith(`error in ${what} ${called} after `));
    return named
      ? [{ what, name: called, drop: `DROP ${what.toUpperCase()} ${quoteName(called)}`, create: [text(row, 'sql')] }]
      : [];
  });
  return objects.length > 0 ? { kind: 'dependents', objects } : null;
}
