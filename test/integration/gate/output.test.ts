import { expect, it, describe } from 'vitest';
import { createDatabase, createSqliteDatabase, describeEngines } from '../../support/database.ts';
import { describePostgres } from '../../support/postgres-server.ts';
import { restoreState } from '../../support/open-database.ts';
import { run } from '../../support/run.ts';
import { snapshot } from '../../support/snapshot.ts';

const looking = ['status', 'plan', 'verify'] as const;
const unreachable = { DATABASE_URL: 'postgresql://app:hunter2@127.0.0.1:1/app', TT_WAIT_TIMEOUT: '0' };

function parsed(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) throw new TypeError('not an object');
  return { ...value };
}

describeEngines('--json', ({ create, name: engine }) => {
  it.each(looking)('of %s prints one object with every key, on a fresh database', async (command) => {
    const { url } = await create();
    const { exitCode, stdout, stderr } = await run([command, '--json'], { env: { DATABASE_URL: url } });
    const report = parsed(stdout);
    expect(report).toMatchObject({ state: 'fresh', engine, revisions: [], problems: [], exitCode });
    expect(report['heads']).toEqual([expect.any(String)]);
    expect(report['pending']).toContain('001');
    expect(exitCode).toBe(command === 'verify' ? 21 : 0);
    expect(stderr).toBe('');
  });

  it('reports that a migrated database is current', async () => {
    const { url } = await create();
    const env = { DATABASE_URL: url };
    await run([], { env });
    for (const command of looking) {
      const { stdout, exitCode } = await run([command, '--json'], { env });
      const report = parsed(stdout);
      expect(report).toMatchObject({ state: 'current', engine, pending: [], problems: [], exitCode: 0 });
      expect(report['revisions']).toEqual(report['heads']);
      expect(exitCode).toBe(0);
    }
  });
});

describe('--json of a failure', () => {
  it.each(looking)('is an object as well: %s', async (command) => {
    const { exitCode, stdout, stderr } = await run([command, '--json'], { env: unreachable });
    expect(exitCode).toBe(3);
    expect(parsed(stdout)).toMatchObject({
      state: null,
      revisions: [],
      problems: [{ kind: 'unreachable', message: expect.stringContaining('cannot be reached') }],
      exitCode: 3,
    });
    expect(stderr).toContain('(exit code 3)');
    expect(stdout + stderr).not.toContain('hunter2');
  });

  it('is an object if the configuration is wrong', async () => {
    const { exitCode, stdout } = await run(['status', '--json'], { env: { TT_WAIT_TIMEOUT: 'x' } });
    expect(exitCode).toBe(2);
    expect(parsed(stdout)).toMatchObject({ state: null, problems: [{ kind: 'configuration' }], exitCode: 2 });
  });
});

describePostgres('a database in an unusual state', () => {
  it.each([
    ['drifted', 'drifted'],
    ['partial', 'partial'],
    ['partial-with-tables', 'partial'],
    ['half-core', 'partial'],
    ['unknown-revision', 'ahead'],
    ['empty-version', 'unversioned'],
    ['polluted', 'corrupted'],
    ['multihead', 'behind'],
  ])('is %s: status reports "%s" and the exit code, and changes nothing', async (fixture, kind) => {
    const { url } = await createDatabase();
    await restoreState(url, fixture);
    const before = await snapshot(url);
    const { stdout, exitCode } = await run(['status', '--json'], { env: { DATABASE_URL: url } });
    expect(parsed(stdout)).toMatchObject({ state: kind, exitCode });
    expect(await snapshot(url)).toBe(before);
  });

  it.each([
    ['partial', 11],
    ['partial-with-tables', 11],
    ['half-core', 11],
    ['unknown-revision', 13],
  ])('is %s: the gate refuses with exit code %i, and changes nothing', async (fixture, expected) => {
    const { url } = await createDatabase();
    await restoreState(url, fixture);
    const before = await snapshot(url);
    const { exitCode, stderr } = await run([], { env: { DATABASE_URL: url } });
    expect(exitCode).toBe(expected);
    expect(stderr).toContain('RECOVERY OPTIONS');
    expect(await snapshot(url)).toBe(before);
  });
});

describe('TT_LOG_FORMAT=json', () => {
  const objects = (stdout: string): Record<string, unknown>[] => stdout.trim().split('\n').map(parsed);

  it('makes every line of the gate an object', async () => {
    const { url } = await createSqliteDatabase();
    const { stdout } = await run([], { env: { DATABASE_URL: url, TT_LOG_FORMAT: 'json' } });
    expect(objects(stdout).map((line) => line['msg'])).toContainEqual(expect.stringContaining('healthy and current'));
  });

  it('makes every line of a failing gate an object', async () => {
    const env = { ...unreachable, TT_WAIT_TIMEOUT: '1', TT_LOG_FORMAT: 'json' };
    const { stdout, stderr } = await run([], { env });
    expect(objects(stdout)[0]).toMatchObject({ name: 'db-init', msg: expect.stringContaining('Waiting') });
    expect(stderr).toContain('RECOVERY OPTIONS');
  });

  it('leaves standard output for the object of --json', async () => {
    const env = { ...unreachable, TT_WAIT_TIMEOUT: '1', TT_LOG_FORMAT: 'json' };
    const { stdout, stderr } = await run(['status', '--json'], { env });
    expect(parsed(stdout)).toMatchObject({ state: null });
    expect(stderr).toContain('"msg":"Waiting');
  });
});
