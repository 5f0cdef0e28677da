import { expect, it } from 'vitest';
import { describeEngines } from '../../support/database.ts';
import { snapshot } from '../../support/snapshot.ts';
import { readContents } from '../upgrade/database-contents.ts';
import { rowsLost } from '../upgrade/lost-data.ts';
import { dbInit, restoreRelease, withSession } from '../upgrade/release-database.ts';

/** The renaming, the exit code of every command, and what the banner says of it. */
interface Renaming {
  readonly sql: string;
  readonly code: number;
  readonly says: string;
}

const renamings: Readonly<Record<string, Renaming>> = {
  'a table in other case': {
    sql: 'ALTER TABLE calendar_events RENAME TO x; ALTER TABLE x RENAME TO "Calendar_Events"',
    code: 14,
    says: 'table calendar_events is missing: it is called Calendar_Events here',
  },
  'a table in other case that others refer to': {
    sql: 'ALTER TABLE tasks RENAME TO x; ALTER TABLE x RENAME TO "Tasks"',
    code: 14,
    says: 'table tasks is missing: it is called Tasks here',
  },
  'a table that Alembic has copied, and not yet renamed': {
    sql: 'ALTER TABLE calendar_events RENAME TO _alembic_tmp_calendar_events',
    code: 14,
    says: 'table calendar_events is missing: it is called _alembic_tmp_calendar_events here',
  },
  'a core table that Alembic has copied, and not yet renamed': {
    sql: 'ALTER TABLE users RENAME TO _alembic_tmp_users',
    code: 11,
    says: 'users is called _alembic_tmp_users here',
  },
  'a core table in other case': {
    sql: 'ALTER TABLE users RENAME TO x; ALTER TABLE x RENAME TO "Users"',
    code: 11,
    says: 'users is called Users here',
  },
};

const ledgerInOtherCase: Renaming = {
  sql: 'ALTER TABLE alembic_version RENAME TO x; ALTER TABLE x RENAME TO "Alembic_Version"',
  code: 14,
  says: 'table alembic_version is missing: it is called Alembic_Version here',
};

const inOtherCase = 'ALTER TABLE users RENAME COLUMN full_name TO "Full_Name"';

describeEngines('a database with', ({ name }) => {
  const restored = (): Promise<string> => restoreRelease(name === 'sqlite' ? 'sqlite' : 'pg', 'v4.20.0');
  const environment = { TT_BACKUP_BEFORE_MIGRATE: 'never' };

  /** The rows that are lost after a refusal, and the statements of its banner, which lead to a healthy database. */
  async function lostAfterRemedy(url: string, sql: string, { code, says }: Pick<Renaming, 'code' | 'says'>) {
    const rows = await withSession(url, readContents);
    await withSession(url, (session) => session.run(sql));
    const before = await snapshot(url);
    const planned = await dbInit(['plan'], url, environment);
    expect(planned.exitCode, planned.all).toBe(code);
    const { exitCode, stderr } = await dbInit(['gate'], url, environment);
    expect(exitCode, stderr).toBe(code);
    expect(stderr.replaceAll(/\s+/g, ' ')).toContain(says);
    expect(stderr).not.toContain('rows that do not exist');
    expect(await snapshot(url)).toBe(before);

    const remedies = stderr.match(/^ +ALTER TABLE .* RENAME .*;$/gm) ?? [];
    for (const remedy of remedies) await withSession(url, (session) => session.run(remedy));
    const again = await dbInit(['gate'], url, environment);
    expect(again.exitCode, again.all).toBe(0);
    return rowsLost(rows, await withSession(url, readContents));
  }

  it.each(Object.entries(renamings))('%s is refused before a migration, and the banner renames it', async (_, each) => {
    expect(await lostAfterRemedy(await restored(), each.sql, each)).toEqual([]);
  });

  it.each(Object.entries(renamings))('%s at the head is not made again empty', async (_, each) => {
    const url = await restored();
    await dbInit(['gate'], url, environment);
    expect(await lostAfterRemedy(url, each.sql, each)).toEqual([]);
  });

  it('a version table in other case is refused before a migration, and the banner renames it', async () => {
    expect(await lostAfterRemedy(await restored(), ledgerInOtherCase.sql, ledgerInOtherCase)).toEqual([]);
  });

  it('a version table in other case at the head is refused where the application would not find it', async () => {
    const url = await restored();
    await dbInit(['gate'], url, environment);
    await withSession(url, (session) => session.run(ledgerInOtherCase.sql));
    // in SQLite it is the same name
    const code = name === 'sqlite' ? 0 : 14;
    for (const command of ['gate', 'status', 'plan']) {
      const { exitCode, all } = await dbInit([command], url, environment);
      expect(exitCode, all).toBe(code);
    }
  });

  it('a column in other case at the head gets no empty one beside it', async () => {
    const url = await restored();
    await dbInit(['gate'], url, environment);
    const says = 'column users.full_name (VARCHAR(200)) is missing: it is called Full_Name here'.toLowerCase();
    const before = await withSession(url, readContents);
    await withSession(url, (session) => session.run(inOtherCase));
    const { exitCode, stderr } = await dbInit(['gate'], url);
    expect(exitCode, stderr).toBe(14);
    expect(stderr.replaceAll(/\s+/g, ' ').toLowerCase()).toContain(
      name === 'sqlite' ? says : says.replace('varchar', 'character varying'),
    );
    const [remedy = ''] = /^ +ALTER TABLE .* RENAME .*;$/m.exec(stderr) ?? [];
    await withSession(url, (session) => session.run(remedy));
    expect((await dbInit(['gate'], url)).stdout).toContain('nothing to do');
    expect(rowsLost(before, await withSession(url, readContents))).toEqual([]);
  });

  it('a table of the owner that only has such a name is migrated', async () => {
    const url = await restored();
    // SQLite has one name for both cases
    const own = name === 'sqlite' ? '' : 'CREATE TABLE "Milestones" (id integer, note text);';
    await withSession(url, (session) => session.run(`${own} CREATE TABLE _alembic_tmp_milestones (id integer)`));
    const { exitCode, all } = await dbInit(['gate'], url, environment);
    expect(exitCode, all).toBe(0);
  });
});
