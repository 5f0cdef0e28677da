import { optionalText, only } from '../rows.ts';
import type { Session } from '../session.ts';

/**
 * Settings by which a role, a database or a server can make a tool fail, or write another text, as SQL: the name, what
 * is wanted, and which values are not. pg_dump and pg_restore lift the time limits themselves, but only after some statements.
 */
const lockTimeout = `('statement_timeout', '0', '^[1-9]\\d{0,2}$')`;
// pg_dump waits between two statements before its transaction, pg_restore's workers for one another between two of them
const otherSessions = `('idle_session_timeout', '0', '^[1-9]')`;
const overriddenSettings = {
  dump: [
    lockTimeout,
    otherSessions,
    // both change how the dump is written, and a restore takes no text that only a trusted archive may hold
    `('standard_conforming_strings', 'on', 'off')`,
    `('quote_all_identifiers', 'off', 'on')`,
  ],
  load: [
    lockTimeout,
    otherSessions,
    `('default_transaction_read_only', 'off', 'on')`,
    `('default_transaction_isolation', 'read\\ committed', '^(repeatable|serializable)')`,
  ],
} as const;

/**
 * What a tool's session must be started with (PGOPTIONS) because of settings that would get in its way. Where there
 * are none it is nothing: some poolers refuse all options.
 */
export async function startOptions(
  session: Session,
  work: keyof typeof overriddenSettings,
): Promise<string | undefined> {
  const rows = await session.query(
    `SELECT string_agg('-c ' || s.name || '=' || b.wanted, ' ') AS options
     FROM pg_settings s JOIN (VALUES ${overriddenSettings[work].join(', ')}) AS b (name, wanted, unwanted) ON b.name = s.name
     WHERE s.reset_val ~ b.unwanted`,
  );
  return optionalText(only(rows), 'options') ?? undefined;
}
