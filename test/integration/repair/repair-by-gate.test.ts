import Database from 'better-sqlite3';
import { beforeAll, describe, expect, it } from 'vitest';
import { createSqliteDatabase, describeEngines, type TestDatabase, withClient } from '../../support/database.ts';
import { release, state } from '../../support/fixtures.ts';
import { applyPending } from '../../support/open-database.ts';
import { describePostgres } from '../../support/postgres-server.ts';
import { restoredDatabase } from '../../support/templates.ts';
import { run, type RunResult } from '../../support/run.ts';
import { snapshot } from '../../support/snapshot.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

async function dbInit(
  { url }: TestDatabase,
  command: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<RunResult> {
  const folder = await temporaryDirectory();
  return run(command, { env: { DATABASE_URL: url, UPLOAD_FOLDER: folder, ...environment } });
}

async function execute({ engine, url, name }: TestDatabase, sql: string): Promise<void> {
  if (engine === 'postgresql') {
    await withClient(url, (client) => client.query(sql));
    return;
  }
  const database = new Database(name);
  database.pragma('foreign_keys = OFF');
  try {
    database.exec(sql);
  } finally {
    database.close();
  }
}

describeEngines('a drifted database', ({ name: engine, create }) => {
  let database: TestDatabase;
  const harmless = 'DROP INDEX ix_exchange_rates_base_code; ALTER TABLE clients DROP COLUMN phone';
  // the application allows one running timer for each user, and here two are running
  const twice = `
    DROP INDEX ux_time_entries_one_active_per_user;
    ${engine === 'postgresql' ? 'SET session_replication_role TO replica;' : ''}
    INSERT INTO time_entries (user_id, start_time, source) VALUES (1, '2026-01-01', 'auto'), (1, '2026-01-02', 'auto')`;

  beforeAll(async () => {
    database = await create();
    await dbInit(database, ['gate']);
    await execute(database, harmless);
  });

  const looks = async (): Promise<readonly (number | undefined)[]> => {
    const results: (number | undefined)[] = [];
    for (const command of ['status', 'plan', 'verify']) results.push((await dbInit(database, [command])).exitCode);
    return results;
  };

  it('is refused unchanged with TT_DRIFT=fail', async () => {
    const before = await snapshot(database.url);
    const { exitCode, stderr } = await dbInit(database, ['gate'], { TT_DRIFT: 'fail' });
    expect(exitCode).toBe(14);
    expect(stderr).toContain('clients.phone');
    expect(stderr).toContain('db-init repair --dry-run');
    expect(await snapshot(database.url)).toBe(before);
  });

  it('is listed by --dry-run, and not changed', async () => {
    const before = await snapshot(database.url);
    const { exitCode, stdout } = await dbInit(database, ['repair', '--dry-run']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('ALTER TABLE "clients" ADD COLUMN "phone"');
    expect(stdout).toContain('CREATE INDEX "ix_exchange_rates_base_code"');
    expect(await looks()).toEqual([0, 0, 14]);
    expect(await snapshot(database.url)).toBe(before);
  });

  it('is not repaired in part: every command refuses it with the rows that prevent it', async () => {
    await execute(database, twice);
    const before = await snapshot(database.url);
    for (const command of [['gate'], ['repair']]) {
      const { exitCode, stderr } = await dbInit(database, command);
      expect(exitCode).toBe(14);
      expect(stderr.replaceAll(/\s+/g, ' ')).toContain('1 value exists more than once');
      expect(stderr).toContain('HAVING count(*) > 1;');
    }
    const { exitCode, stdout } = await dbInit(database, ['repair', '--dry-run']);
    expect(exitCode).toBe(14);
    expect(stdout).toContain('NOTHING WOULD BE CHANGED');
    expect(await looks()).toEqual([14, 14, 14]);
    expect(await snapshot(database.url)).toBe(before);
  });

  it('is repaired by the gate after the rows are corrected', async () => {
    await execute(database, 'DELETE FROM time_entries');
    const { exitCode, stdout } = await dbInit(database, ['gate']);
    expect(exitCode, stdout).toBe(0);
    expect(stdout).toContain('added the missing column clients.phone');
    expect(await looks()).toEqual([0, 0, 0]);
  });

  it('is repaired by hand with any TT_DRIFT', async () => {
    await execute(database, harmless);
    expect((await dbInit(database, ['repair'], { TT_DRIFT: 'fail' })).exitCode).toBe(0);
    expect(await looks()).toEqual([0, 0, 0]);
    const again = await dbInit(database, ['repair']);
    expect(again.stdout).toContain('nothing to do');
  });
});

describe('repair', () => {
  it('refuses a database that is not at the last revision', async () => {
    const database = await createSqliteDatabase();
    const { exitCode, stderr } = await dbInit(database, ['repair']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('The database is fresh');
    expect(await snapshot(database.url)).toBe('');
  });
});

describePostgres('the gate', () => {
  it('repairs a drifted database with rows, and keeps every row', async () => {
    const database = await restored(state('drifted'));
    await applyPending(database.url);
    const before = await rowsOf(database);
    const { exitCode, stdout } = await dbInit(database, ['gate']);
    expect(exitCode, stdout).toBe(0);
    expect((await dbInit(database, ['verify'])).exitCode).toBe(0);
    for (const [table, rows] of Object.entries(await rowsOf(database))) {
      // added columns are NULL; everything else is unchanged
      expect(rows.map(withoutNulls), table).toEqual(before[table]?.map(withoutNulls));
    }
  });

  it('rolls a migration or an adoption back with TT_DRIFT=fail if an object is missing', async () => {
    const database = await restored(release('pg', 'v5.7.0', 'before.sql.gz'));
    await execute(database, 'DROP INDEX ux_time_entries_one_active_per_user, ix_exchange_rates_base_code');
    for (const sql of ['SELECT 1', 'DROP TABLE alembic_version']) {
      await execute(database, sql);
      const before = await snapshot(database.url, { withoutSequences: true });
      for (const command of [['gate'], ['plan', '--rehearse']]) {
        const { exitCode, stderr } = await dbInit(database, command, { TT_DRIFT: 'fail' });
        expect(exitCode, stderr).toBe(14);
        expect(stderr).toContain('ix_exchange_rates_base_code');
      }
      expect(await snapshot(database.url, { withoutSequences: true })).toBe(before);
    }
    expect((await dbInit(database, ['gate'])).exitCode).toBe(0);
  });

  it('rolls a migration back if its result cannot be repaired', async () => {
    const database = await restored(release('pg', 'v5.7.0', 'before.sql.gz'));
    await execute(
      database,
      `ALTER TABLE tasks DROP CONSTRAINT IF EXISTS tasks_project_id_fkey;
       SET session_replication_role TO replica;
       UPDATE tasks SET project_id = 999999 WHERE id = (SELECT min(id) FROM tasks)`,
    );
    const before = await snapshot(database.url, { withoutSequences: true });
    const { exitCode, stderr } = await dbInit(database, ['gate']);
    expect(exitCode).toBe(21);
    expect(stderr.replaceAll(/\s+/g, ' ')).toContain('1 row referring to rows that do not exist');
    expect(await snapshot(database.url, { withoutSequences: true })).toBe(before);
  });
});

async function restored(path: string): Promise<TestDatabase> {
  const database = await restoredDatabase(path);
  return database;
}

type Rows = Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;

async function rowsOf({ url }: TestDatabase): Promise<Rows> {
  return withClient(url, async (client) => {
    const { rows: tables } = await client.query<{ name: string }>(
      `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'`,
    );
    const found: Record<string, readonly Record<string, unknown>[]> = {};
    for (const { name } of tables) {
      const { rows } = await client.query<Record<string, unknown>>(`SELECT t.* FROM "${name}" t ORDER BY t::text`);
      found[name] = rows;
    }
    return found;
  });
}

function withoutNulls(row: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
}
