import { copyFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readNotification } from '../../../src/config/notification.ts';
import { openAnnouncer } from '../../../src/notify/announcer.ts';
import { createDatabase, createSqliteDatabase, withClient } from '../../support/database.ts';
import { type Listener, startListener } from '../../support/listener.ts';
import { describePostgres } from '../../support/postgres-server.ts';
import { atEnd } from '../../support/cleanup.ts';
import { run, runProcess, start } from '../../support/run.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { execute } from '../backup/backups.ts';

let listener: Listener;
// one for each test, because messages of an earlier test may arrive later
beforeEach(async () => void (listener = await startListener()));

const token = 'tk_4f9x8c2b1a7d';
const paths = (): readonly string[] => listener.requests.map(({ path }) => path);

let healthy: string;
beforeAll(async () => {
  const database = await createSqliteDatabase();
  await run([], { env: { DATABASE_URL: database.url } });
  healthy = database.name;
});

/** An installation whose gate passes, and the SQL that makes it refuse. */
async function installation() {
  const database = await createSqliteDatabase();
  await copyFile(healthy, database.name);
  const env = { DATABASE_URL: database.url, UPLOAD_FOLDER: await temporaryDirectory() };
  return { env, database, spoil: () => execute(database, 'PRAGMA foreign_keys = OFF; DROP TABLE users') };
}

describe('a receiver of messages', () => {
  it('gets a refusal: text for ntfy, the report for webhooks, /fail for healthchecks', async () => {
    const { env, spoil } = await installation();
    await spoil();
    const { host } = new URL(listener.url);
    const { exitCode, stdout, stderr } = await run([], {
      env: {
        ...env,
        TT_NOTIFY_URL: `ntfy://us%20er:${token}@${host}/topic, ${listener.url}/hook/${token}?a=b,c ${listener.url}/ntfy/other`,
        TT_PING_URL: `${listener.url}/ping/${token}/?create=1`,
      },
    });
    expect(exitCode).toBe(11);
    expect(paths().toSorted()).toEqual(
      [
        `/ping/${token}/start?create=1`,
        `/ping/${token}/fail?create=1`,
        '/topic',
        '/ntfy/other',
        `/hook/${token}?a=b,c`,
      ].toSorted(),
    );
    expect(listener.requests.every(({ method }) => method === 'POST')).toBe(true);
    // before everything else
    expect(paths()[0]).toContain('/start');

    const ntfy = listener.requests.find(({ path }) => path === '/topic');
    expect(ntfy?.headers).toMatchObject({
      title: expect.stringContaining('Partial migration'),
      priority: 'high',
      authorization: `Basic ${Buffer.from(`us er:${token}`).toString('base64')}`,
    });
    expect(ntfy?.body).toContain('RECOVERY OPTIONS:');
    expect(listener.requests.find(({ path }) => path.includes('/fail'))?.body).toContain('exit code 11');

    const hook = listener.requests.find(({ path }) => path.startsWith('/hook'));
    expect(hook?.headers['content-type']).toBe('application/json');
    expect(JSON.parse(hook?.body ?? '')).toMatchObject({
      command: 'gate',
      exitCode: 11,
      before: { state: 'partial' },
      title: expect.stringContaining('Partial migration'),
      text: expect.stringContaining('RECOVERY OPTIONS:'),
    });

    // it says so, without the exact address
    expect(stdout.match(/Sent the notification to http:\/\/127\.0\.0\.1:\d+\./g)).toHaveLength(4);
    expect(stdout + stderr + listener.requests.map(({ body }) => body).join('')).not.toContain(token);
  });

  it('gets a change, or every run, only if TT_NOTIFY_ON says so', async () => {
    const database = await createSqliteDatabase();
    const env = { DATABASE_URL: database.url, UPLOAD_FOLDER: await temporaryDirectory() };
    const hook = `${listener.url}/hook`;
    await run([], { env: { ...env, TT_NOTIFY_URL: hook, TT_NOTIFY_ON: 'change' } });
    expect(listener.requests.map(({ body }): unknown => JSON.parse(body))).toMatchObject([
      { exitCode: 0, title: expect.stringContaining('changed by gate'), text: expect.stringContaining('applied') },
    ]);
    await run([], { env: { ...env, TT_NOTIFY_URL: hook, TT_NOTIFY_ON: 'change' } });
    await run([], { env: { ...env, TT_NOTIFY_URL: hook } });
    // commands that only read send no message
    for (const command of ['status', 'plan', 'verify', 'help'])
      await run([command], { env: { ...env, TT_NOTIFY_URL: hook, TT_NOTIFY_ON: 'always', TT_PING_URL: hook } });
    await run(['backup', 'list'], { env: { ...env, TT_NOTIFY_URL: hook, TT_NOTIFY_ON: 'always' } });
    expect(listener.requests).toHaveLength(1);

    const ping = `${listener.url}/ping`;
    const { stdout } = await run(['gate', '--json'], {
      env: { ...env, TT_NOTIFY_URL: hook, TT_NOTIFY_ON: 'ALWAYS', TT_PING_URL: ping },
    });
    expect(JSON.parse(stdout)).toMatchObject({ state: 'current', exitCode: 0 });
    expect(paths().slice(1).toSorted()).toEqual(['/hook', '/ping', '/ping/start']);
  });

  it('gets a wrong configuration, at addresses in files', async () => {
    const folder = await temporaryDirectory();
    await writeFile(join(folder, 'url'), `${listener.url}/hook/${token}\n`);
    const { exitCode, all } = await run(['gate'], {
      env: { DATABASE_URL: 'mysql://u:p@h/d', TT_NOTIFY_URL_FILE: join(folder, 'url') },
    });
    expect(exitCode).toBe(2);
    expect(JSON.parse(listener.requests[0]?.body ?? '')).toMatchObject({
      exitCode: 2,
      problem: { kind: 'configuration' },
    });
    expect(all).not.toContain(token);
  });

  it.each([
    ['an error', '/500/x', 'it answered 500'],
    ['another place', '/307/x', 'it answered 307 and redirects to another address'],
  ])('causes only a warning if it answers with %s', async (_, path, said) => {
    const { env } = await installation();
    const { exitCode, stdout } = await run([], {
      env: { ...env, TT_NOTIFY_URL: listener.url + path, TT_NOTIFY_ON: 'always' },
    });
    expect(exitCode).toBe(0);
    expect(stdout).toContain('WARNING: The notification to');
    expect(stdout).toContain(said);
    expect(paths()).toEqual([path]);
  });

  it('does not change the exit code if it cannot be reached or is set wrongly', async () => {
    const { env } = await installation();
    const { host } = new URL(listener.url);
    const { exitCode, stdout } = await run([], {
      env: {
        ...env,
        TT_NOTIFY_URL: `hunter2x http://127.0.0.1:9/${token} https://${host}/${token} mailto:me@example.org`,
        TT_NOTIFY_ON: 'sometimes',
        TT_PING_URL: 'http://no-such-host.invalid/x',
        TT_PING_URL_FILE: '/nowhere',
      },
    });
    expect(exitCode).toBe(0);
    expect(stdout).toContain('TT_NOTIFY_ON is "sometimes"; allowed: failure, change, always');
    expect(stdout).toContain('TT_NOTIFY_URL contains something that is not an address');
    expect(stdout).toContain('TT_PING_URL_FILE is set although TT_PING_URL is set too');
    expect(stdout).not.toMatch(/hunter2x|example\.org|tk_4f9/);

    const again = await run([], {
      env: { ...env, TT_NOTIFY_URL: `http://127.0.0.1:9 https://${host}/${token}`, TT_NOTIFY_ON: 'always' },
    });
    expect(again.exitCode).toBe(0);
    expect(again.stdout).toMatch(/notification to http:\/\/127\.0\.0\.1:9 could not be sent: \S/);
    expect(again.stdout).toMatch(new RegExp(`notification to https://${host} could not be sent: .*SSL`));
  });

  it('does not end the run early if it closes the connection at once', async () => {
    const { env } = await installation();
    const server = createServer((socket) => void socket.destroy());
    atEnd(() => new Promise<void>((resolve) => void server.close(() => resolve())));
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/x`;
    // a separate process, because it would otherwise end in the middle
    const { exitCode, stdout } = await runProcess([], { env: { ...env, TT_PING_URL: url } });
    expect(stdout).toContain('The notification to');
    expect(exitCode).toBe(0);
  });

  it('does not delay the end if it never answers, by a deadline or after SIGTERM', async () => {
    const { env } = await installation();
    const child = start([], { env: { ...env, TT_NOTIFY_URL: `${listener.url}/silent`, TT_NOTIFY_ON: 'always' } });
    await expect.poll(() => listener.requests.length, { timeout: 30_000 }).toBe(1);
    child.kill('SIGTERM');
    const { exitCode, stdout } = await child;
    expect(exitCode).toBe(0);
    expect(stdout).toContain('the run was stopped');

    const lines: string[] = [];
    const log = {
      info: (line: string) => void lines.push(line),
      warn: (line: string) => void lines.push(line),
      error: () => undefined,
    };
    const settings = readNotification(
      { TT_NOTIFY_URL: `${listener.url}/silent`, TT_PING_URL: `${listener.url}/silent` },
      '/',
    );
    const announcer = openAnnouncer(settings, new AbortController().signal, { start: 50, end: 50 });
    await announcer.end({ outcome: 'failure', title: 't', text: 't', report: {} }, { log, secrets: [] });
    expect(lines).toEqual([expect.stringContaining('no answer within'), expect.stringContaining('no answer within')]);
  });

  it('gets failed and scheduled backups, but not runs that a person stopped', async () => {
    const { env } = await installation();
    const given = { ...env, TT_NOTIFY_URL: `${listener.url}/hook`, TT_PING_URL: `${listener.url}/ping` };
    expect((await run(['backup', 'create'], { env: given })).exitCode).toBe(0);
    expect(paths()).toEqual(['/ping/start', '/ping']);
    listener.requests.splice(0);
    await writeFile(join(env.UPLOAD_FOLDER, 'file'), '');
    expect(
      (await run(['backup', 'create'], { env: { ...given, BACKUP_FOLDER: join(env.UPLOAD_FOLDER, 'file') } })).exitCode,
    ).toBe(30);
    expect(paths().toSorted()).toEqual(['/hook', '/ping/fail', '/ping/start']);
  });

  it('gets long banners shortened for ntfy, and titles in any script', async () => {
    const settings = readNotification({ TT_NOTIFY_URL: `${listener.url}/ntfy/x` }, '/');
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const text = Array.from({ length: 500 }, (_, index) => `line ${index} ü`).join('\n');
    await openAnnouncer(settings, new AbortController().signal).end(
      { outcome: 'failure', title: 'Büro ✗', text, report: {} },
      { log, secrets: [] },
    );
    const [heard] = listener.requests;
    const body = heard?.body ?? '';
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(4096);
    expect(body).toMatch(/\n… \(the log has the rest\)$/);
    expect(heard?.headers['title']).toBe(`=?UTF-8?B?${Buffer.from('Büro ✗').toString('base64')}?=`);
  });
});

describePostgres('the receiver of messages about a database with unusual rows', () => {
  it('never gets values of the rows', async () => {
    const secret = 'Confidential-4711';
    const { url } = await createDatabase();
    const env = { DATABASE_URL: url, UPLOAD_FOLDER: await temporaryDirectory() };
    expect((await run([], { env })).exitCode).toBe(0);
    await withClient(url, async (client) => {
      await client.query(`
        CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM '${secret}'::integer; END $$;
        ALTER TABLE clients DROP COLUMN address;
        CREATE EVENT TRIGGER odd ON ddl_command_end EXECUTE FUNCTION refuse()`);
    });
    const { exitCode, all } = await run([], {
      env: { ...env, TT_NOTIFY_URL: `${listener.url}/ntfy/a ${listener.url}/b`, TT_BACKUP_BEFORE_MIGRATE: 'never' },
    });
    expect(exitCode).not.toBe(0);
    // the log stays on the machine
    expect(all).toContain(secret);
    expect(listener.requests).toHaveLength(2);
    expect(listener.requests.map(({ body }) => body).join('')).not.toContain(secret);
  });
});
