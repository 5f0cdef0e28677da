import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { releaseGraph } from '../../../src/migration/revisions.ts';
import { describeEngines, type TestDatabase } from '../../support/database.ts';
import { release, sqliteFile, state } from '../../support/fixtures.ts';
import { describePostgres } from '../../support/postgres-server.ts';
import { restoreSql } from '../../support/restore-sql.ts';
import { restoredDatabase } from '../../support/templates.ts';
import { run } from '../../support/run.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await temporaryDirectory();
  file = join(folder, 'run.json');
});

const read = async (): Promise<unknown> => JSON.parse(await readFile(file, 'utf8'));

/** The revisions of the databases of release 5.0.0. */
const startOf = { sqlite: '139_keyboard_shortcuts', postgresql: '140_client_portal_dashboard_prefs' };

async function fill({ engine, url, name }: TestDatabase): Promise<void> {
  if (engine === 'postgresql') await restoreSql(url, release('pg', 'v5.0.0', 'before.sql.gz'));
  else await copyFile(await sqliteFile(release('sqlite', 'v5.0.0', 'before.db.gz')), name);
}

describeEngines('the report of a run', ({ name: engine, create }) => {
  it('contains the state before, the steps and the state afterwards', async () => {
    const database = await create();
    await fill(database);
    const env = { DATABASE_URL: database.url, TT_REPORT_FILE: file, TT_BACKUP_BEFORE_MIGRATE: 'never' };
    expect((await run([], { env })).exitCode).toBe(0);

    const report = await read();
    expect(report).toMatchObject({
      command: 'gate',
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      startedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      finishedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      database: { engine, name: expect.stringContaining(database.name) },
      before: {
        state: 'behind',
        revisions: [startOf[engine]],
        problems: [],
      },
      plan: { action: 'migrate' },
      after: { state: 'current', revisions: releaseGraph.heads },
      backup: null,
      exitCode: 0,
      problem: null,
    });
    const pending = releaseGraph.pending([startOf[engine]]).map(({ id }) => id);
    const steps = pending.map((revision) => ({ kind: 'revision', revision, milliseconds: expect.any(Number) }));
    expect(report).toMatchObject({ plan: { pending }, steps: expect.arrayContaining(steps) });
    // written beside it and renamed: nothing else is left
    expect(await readdir(folder)).toEqual(['run.json']);
  });

  it('contains no step if there was nothing to do', async () => {
    const database = await create();
    await run([], { env: { DATABASE_URL: database.url } });
    await writeFile(file, 'of a former run');
    await run([], { env: { DATABASE_URL: database.url, TT_REPORT_FILE: file } });
    expect(await read()).toMatchObject({
      before: { state: 'current' },
      plan: { action: 'pass', pending: [] },
      steps: [],
      after: { state: 'current', revisions: releaseGraph.heads },
      exitCode: 0,
    });
  });

  it('is a warning if it cannot be written', async () => {
    const database = await create();
    const env = { DATABASE_URL: database.url, TT_REPORT_FILE: join(folder, 'not', 'there.json') };
    const { exitCode, stderr } = await run([], { env });
    expect(exitCode).toBe(0);
    expect(stderr).toContain('WARNING: the report could not be written');
  });

  it('is not written by a command that only reads', async () => {
    const database = await create();
    await run(['status'], { env: { DATABASE_URL: database.url, TT_REPORT_FILE: file } });
    expect(await readdir(folder)).toEqual([]);
  });
});

describePostgres('the report of a cleanup', () => {
  it('reports what was moved to quarantine, and where', async () => {
    const { url } = await restoredDatabase(state('polluted'));
    expect((await run([], { env: { DATABASE_URL: url, TT_REPORT_FILE: file } })).exitCode).toBe(0);
    expect(await read()).toMatchObject({
      before: { state: 'corrupted' },
      plan: { action: 'quarantine and migrate' },
      steps: [
        { kind: 'quarantine', schema: expect.stringMatching(/^tt_quarantine_/), relations: expect.any(Array) },
        { kind: 'revision', revision: releaseGraph.heads[0] },
      ],
      backup: null,
    });
  });
});

describePostgres('the report of a refusal', () => {
  it('reports the unchanged state and the problem', async () => {
    const { url } = await restoredDatabase(state('partial-with-tables'));
    const { exitCode } = await run([], { env: { DATABASE_URL: url, TT_REPORT_FILE: file } });
    expect(exitCode).toBe(11);
    expect(await read()).toMatchObject({
      before: { state: 'partial' },
      plan: { action: 'refuse' },
      steps: [],
      after: { state: 'partial' },
      exitCode: 11,
      problem: { kind: 'refused', message: expect.stringContaining('Partial migration') },
    });
  });
});

describe('the report of a run that reaches no database', () => {
  it('reports errors of the configuration', async () => {
    const env = { DATABASE_URL: 'postgresql://u:hunter2@h/d', TT_LOG_FORMAT: 'xml', TT_REPORT_FILE: file };
    expect((await run([], { env })).exitCode).toBe(2);
    expect(await read()).toMatchObject({
      database: null,
      before: null,
      plan: null,
      after: null,
      exitCode: 2,
      problem: { kind: 'configuration', message: expect.stringContaining('TT_LOG_FORMAT') },
    });
    expect(await readFile(file, 'utf8')).not.toContain('hunter2');
  });

  it('reports the reason without the password, even a short one', async () => {
    const env = {
      DATABASE_URL: 'postgresql://me:x@127.0.0.1:1/app',
      TT_WAIT_TIMEOUT: '0',
      TT_REPORT_FILE: file,
    };
    expect((await run([], { env })).exitCode).toBe(3);
    expect(await read()).toMatchObject({ database: null, exitCode: 3, problem: { kind: 'unreachable' } });
    expect(await readFile(file, 'utf8')).not.toContain(env.DATABASE_URL);
  });
});
