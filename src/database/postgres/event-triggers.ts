import type { EventTrigger } from '../../model/cause.ts';
import { text } from '../row-values.ts';
import type { Session } from '../session.ts';

/**
 * Finds the enabled event triggers whose function was running when the server refused a statement.
 * @param context the CONTEXT of the error, one line per function call: `PL/pgSQL function forbid() line 3 at RAISE`
 */
export async function findEventTriggers(session: Session, context: string): Promise<readonly EventTrigger[]> {
  const rows = await session.query(
    `SELECT e.evtname::text AS name, quote_ident(e.evtname) AS quoted, e.evtevent::text AS event, p.oid::regprocedure::text AS function,
            p.proname::text AS called
     FROM pg_event_trigger e JOIN pg_proc p ON p.oid = e.evtfoid WHERE e.evtenabled <> 'D' ORDER BY 1`,
  );
  return rows
    .filter((row) => context.includes(`${text(row, 'called')}(`) || context.includes(`${text(row, 'called')}"(`))
    .map((row) => ({
      name: text(row, 'name'),
      event: text(row, 'event'),
      function: text(row, 'function'),
      disable: `ALTER EVENT TRIGGER ${text(row, 'quoted')} DISABLE`,
      enable: `ALTER EVENT TRIGGER ${text(row, 'quoted')} ENABLE`,
    }));
}
