import { EventEmitter, once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { expect, it, vi } from 'vitest';
import { createDatabase } from '../../support/database.ts';
import { release } from '../../support/fixtures.ts';
import { withDatabase } from '../../support/open-database.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { startProxy } from '../../support/postgres-proxy.ts';
import { describePostgres } from '../../support/postgres-server.ts';
import { restoredDatabase } from '../../support/templates.ts';
import { run, start } from '../../support/run.ts';
import { snapshot } from '../../support/snapshot.ts';

/** The query at which a server stops answering, and whether it still accepts connections. */
const moments = [
  ['right after the connection is made', /pg_postmaster_start_time/, 'silent'],
  ['while the lock is taken', /pg_try_advisory_lock/, 'silent'],
  ['while the catalog is read', /pg_constraint/, 'silent'],
  ['in the middle of a migration', /ALTER TABLE/, 'silent'],
  ['in the middle of a migration, to this connection alone', /ALTER TABLE/, 'forward'],
] as const;

describePostgres('a server that stops answering', () => {
  /** Starts the gate through a proxy, and waits for the silence. */
  async function fallSilent(moment: RegExp, others: 'silent' | 'forward', more = {}) {
    const { url } = await restoredDatabase(release('pg', 'v2.3.7', 'before.sql.gz'));
    const before = await snapshot(url);
    let isSilent = false;
    const events = new EventEmitter();
    const silence = once(events, 'silence');
    const cut = (query: string): 'silence' | null => {
      if (!moment.test(query)) return null;
      isSilent = true;
      events.emit('silence');
      return 'silence';
    };
    const proxy = await startProxy(() =>
      isSilent && others === 'silent' ? { kind: 'silent' } : { kind: 'forward', url, cut },
    );
    const env = { DATABASE_URL: proxy.urlOf(url), TT_BACKUP_BEFORE_MIGRATE: 'never', ...more };
    return { env, url, before, silence };
  }

  it.each(moments)('does not delay the end of a stopped run: %s', async (_, moment, others) => {
    const { env, url, before, silence } = await fallSilent(moment, others);
    const gate = start(['gate'], { env, timeout: 30_000 });
    await silence;
    gate.kill('SIGTERM');
    const { exitCode, all } = await gate;
    expect(exitCode, all).toBe(143);
    expect(all).toContain('The run was stopped by SIGTERM');
    expect(await snapshot(url)).toBe(before);
  });

  it('does not delay the end of a backup that is stopped in the middle of a dump', async () => {
    const { env, silence } = await fallSilent(/^COPY .* TO stdout/i, 'silent');
    const folder = await temporaryDirectory();
    const backup = start(['backup', 'create'], { env: { ...env, BACKUP_FOLDER: folder }, timeout: 30_000 });
    await silence;
    backup.kill('SIGTERM');
    const { exitCode, all } = await backup;
    expect(exitCode, all).toBe(143);
    expect((await readdir(folder)).filter((name) => !name.startsWith('.'))).toEqual([]);
  });

  it('counts as lost when an answer about the catalog is overdue', async () => {
    const { url } = await createDatabase();
    let isSilent = false;
    const proxy = await startProxy(() => ({
      kind: 'forward',
      url,
      cut: (query) => (isSilent && /pg_constraint/.test(query) ? 'silence' : null),
    }));
    await withDatabase(proxy.urlOf(url), async (database) => {
      await database.observe('quick');
      isSilent = true;
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      try {
        const seen = database.observe('quick').catch((error: unknown) => error);
        // fake timers: no real time passes
        await vi.advanceTimersByTimeAsync(600_000);
        expect(await seen).toMatchObject({ problem: { kind: 'connection-lost' } });
      } finally {
        vi.useRealTimers();
      }
    });
  });

  it('does not delay the end after a second Ctrl-C', async () => {
    const { env, silence } = await fallSilent(/ALTER TABLE/, 'silent');
    const gate = start(['gate'], { env, timeout: 30_000 });
    await silence;
    gate.kill('SIGTERM');
    // until it counts as a second one
    const insisting = setInterval(() => gate.kill('SIGINT'), 100);
    const { exitCode, all } = await gate;
    clearInterval(insisting);
    expect([exitCode, all]).toEqual([130, expect.stringContaining('Stopped at once.')]);
  });

  it('ends a new connection after TT_WAIT_TIMEOUT', async () => {
    const { env } = await fallSilent(/pg_postmaster_start_time/, 'silent', { TT_WAIT_TIMEOUT: '2' });
    const { exitCode, all } = await run(['gate'], { env });
    expect([exitCode, all]).toEqual([3, expect.stringMatching(/No connection within 2\s+seconds/)]);
  });
});
