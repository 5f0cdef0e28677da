import { describe, expect, it } from 'vitest';
import { findRemainingWriters } from '../../../src/database/postgres/other-sessions.ts';
import type { Session } from '../../../src/database/session.ts';

/** A server that shows the session of a dump for so many looks after its program has ended. */
function serverShowing(looks: number): { readonly session: Session; readonly asked: string[] } {
  const asked: string[] = [];
  let left = looks;
  const session: Session = {
    engine: 'postgresql',
    run: () => Promise.resolve(),
    query(sql) {
      asked.push(sql);
      const isLook = sql.includes('pg_stat_activity');
      const row = { pid: 7, application: 'pg_dump', user: 'app', client: '::1' };
      return Promise.resolve(isLook && left-- > 0 ? [row] : []);
    },
  };
  return { session, asked };
}

describe('other sessions', () => {
  it('are waited for if they are about to end, and read again', async () => {
    const { session, asked } = serverShowing(2);
    expect(await findRemainingWriters(session)).toEqual({ sessions: [], prepared: [] });
    expect(asked.filter((sql) => sql.includes('pg_stat_clear_snapshot'))).toHaveLength(2);
  });

  it('are reported if they stay', async () => {
    const { sessions } = await findRemainingWriters(serverShowing(Infinity).session);
    expect(sessions).toMatchObject([{ pid: 7, application: 'pg_dump' }]);
  });
});
