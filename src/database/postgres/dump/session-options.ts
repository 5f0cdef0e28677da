import { optionalText, only } from '../../row-values.ts';
import type { Session } from '../../session.ts';

// pg_dump and pg_restore reset the time limits themselves, but only after some statements
const statementTimeout = `('statement_timeout', '0', '^[1-9]\\d{0,2}$')`;
// pg_dump is idle for a moment before its transaction, and workers of pg_restore are idle while they wait for each
// other
const idleSessionTimeout = `('idle_session_timeout', '0', '^[1-9]')`;
/**
 * Settings of a role, a database or a server that can make a tool fail or change its output, as SQL rows: the name, the
 * required value, and a pattern of values that must be overridden.
 */
const overriddenSettings = {
  dump: [
    statementTimeout,
    idleSessionTimeout,
    // both settings change the text of the dump, so that a restore would not recognise its statements
    `('standard_conforming_strings', 'on', 'off')`,
    `('quote_all_identifiers', 'off', 'on')`,
  ],
  load: [
    statementTimeout,
    idleSessionTimeout,
    `('default_transaction_read_only', 'off', 'on')`,
    `('default_transaction_isolation', 'read\\ committed', '^(repeatable|serializable)')`,
  ],
} as const;

/**
 * Builds the options (PGOPTIONS) that override settings which make a tool fail or change its output.
 * @returns undefined if there are none: some poolers refuse all options
 */
export async function findPgOptions(
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
