import type pg from 'pg';
import { beforeEach, describe, expect, it } from 'vitest';
import { connectClient, type TestDatabase, withClient } from '../../support/database.ts';
import { release } from '../../support/fixtures.ts';
import { describePostgres } from '../../support/postgres-server.ts';
import { restoredDatabase } from '../../support/templates.ts';
import { start } from '../../support/run.ts';
import { eventually, waitForOutput } from '../../support/wait-for-output.ts';
import { snapshot } from '../../support/snapshot.ts';

const signals = [
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const;

/** Waits until a session of db-init waits for a lock. @returns the pid of its backend */
async function blockedRun({ url }: TestDatabase): Promise<number> {
  return withClient(url, async (client) => {
    let pid = 0;
    await eventually(async () => {
      const { rows } = await client.query<{ pid: number }>(
        `SELECT pid FROM pg_stat_activity WHERE datname = current_database()
           AND application_name LIKE 'db-init %gate' AND wait_event_type = 'Lock'`,
      );
      pid = rows[0]?.pid ?? 0;
      return pid !== 0;
    });
    return pid;
  });
}

async function sessionsOf({ url }: TestDatabase): Promise<number> {
  return withClient(url, async (client) => {
    const { rowCount } = await client.query(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'db-init % gate'`,
    );
    return rowCount ?? 0;
  });
}

describe.each(signals)('%s', (signal, expected) => {
  it('ends the waiting for a server', async () => {
    const gate = start([], { env: { DATABASE_URL: 'postgresql://app:secret@127.0.0.1:1/app' } });
    await waitForOutput(gate, /Waiting for the database/);
    gate.kill(signal);
    const { exitCode, stderr } = await gate;
    expect(exitCode).toBe(expected);
    expect(stderr).toContain(`The run was stopped by ${signal}`);
  });
});

describePostgres('a migration', () => {
  let database: TestDatabase;
  let env: Readonly<Record<string, string>>;
  let other: pg.Client;
  let before: string;

  beforeEach(async () => {
    database = await restoredDatabase(release('pg', 'v2.3.7', 'before.sql.gz'));
    env = { DATABASE_URL: database.url };
    before = await snapshot(database.url, { withoutSequences: true });
    other = await connectClient(database.url);
    // like a writer of the application: readers of the table continue, and statements that alter it wait
    await other.query('BEGIN; LOCK TABLE users IN ROW EXCLUSIVE MODE');
    return () => other.end();
  });

  it.each(signals)('is rolled back if %s arrives during a statement', async (signal, expected) => {
    const gate = start([], { env: { ...env, TT_MIGRATION_LOCK_TIMEOUT: '0' } });
    await blockedRun(database);
    gate.kill(signal);
    const { exitCode } = await gate;
    expect(exitCode).toBe(expected);
    // the other session still holds its lock: the statement was cancelled, not waited for
    await other.query('COMMIT');
    expect(await snapshot(database.url, { withoutSequences: true })).toBe(before);
    await eventually(async () => (await sessionsOf(database)) === 0);
  });

  it('is rolled back if the connection is lost, with a message', async () => {
    const gate = start([], { env: { ...env, TT_MIGRATION_LOCK_TIMEOUT: '0' } });
    const pid = await blockedRun(database);
    await other.query('SELECT pg_terminate_backend($1)', [pid]);
    const { exitCode, stderr } = await gate;
    expect(exitCode).toBe(3);
    expect(stderr.replaceAll(/\s+/g, ' ')).toMatch(/terminating connection due to administrator command/i);
    await other.query('COMMIT');
    expect(await snapshot(database.url, { withoutSequences: true })).toBe(before);
  });

  it('tries again if a table is locked for a while', async () => {
    const gate = start([], { env: { ...env, TT_MIGRATION_LOCK_TIMEOUT: '1' } });
    await waitForOutput(gate, /Trying again: a table is locked by another session/);
    await other.query('COMMIT');
    const { exitCode } = await gate;
    expect(exitCode).toBe(0);
  });

  it('does not begin while a table cannot be read', async () => {
    await other.query('LOCK TABLE users, alembic_version');
    const { exitCode, stderr } = await start([], { env: { ...env, TT_MIGRATION_LOCK_TIMEOUT: '1' } });
    expect(exitCode).toBe(17);
    expect(stderr).toContain('lock timeout');
  });

  it('stops if a table stays locked, with nothing changed', async () => {
    const { exitCode, stderr, stdout } = await start([], { env: { ...env, TT_MIGRATION_LOCK_TIMEOUT: '1' } });
    expect(exitCode).toBe(20);
    expect(stdout.match(/Trying again/g)).toHaveLength(3);
    expect(stderr).toContain('lock timeout');
    await other.query('COMMIT');
    expect(await snapshot(database.url, { withoutSequences: true })).toBe(before);
  });
});
