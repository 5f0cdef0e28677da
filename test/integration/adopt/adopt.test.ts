import { describe, expect, it } from 'vitest';
import { releaseGraph } from '../../../src/migration/revisions.ts';
import { createDatabase } from '../../support/database.ts';
import { state } from '../../support/fixtures.ts';
import { describePostgres } from '../../support/postgres-server.ts';
import { restoredDatabase } from '../../support/templates.ts';
import { snapshot } from '../../support/snapshot.ts';
import { dbInit, expectState, restoreRelease, withSession } from '../upgrade/release-database.ts';
import { alter, statusOf } from './adoptions.ts';

const head = releaseGraph.heads.join();

/** The database of 2.3.7, which was at 019, without its version table. */
async function unversioned(engine: 'pg' | 'sqlite'): Promise<string> {
  const url = await restoreRelease(engine, 'v2.3.7');
  await alter(url, 'DROP TABLE alembic_version');
  return url;
}

const versionRows = (url: string): Promise<readonly unknown[]> =>
  withSession(url, async (session) =>
    (await session.query('SELECT version_num FROM alembic_version ORDER BY 1')).map((row) => row['version_num']),
  );

describePostgres('an unversioned database', () => {
  it.for([
    { name: 'unversioned-019', revision: '019' },
    { name: 'unversioned-049', revision: '049' },
    { name: 'empty-version', revision: '171_merge_kanban_feature_heads' },
  ])('$name is adopted at $revision', async ({ name, revision }) => {
    const { url } = await restoredDatabase(state(name));
    expect(await statusOf(url)).toMatchObject({ state: 'unversioned', adopts: [revision], exitCode: 0 });
    const { exitCode, all } = await dbInit([], url);
    expect(exitCode, all).toBe(0);
    expect(all).toContain(`The schema is that of ${revision}.`);
    expect(await versionRows(url)).toEqual([head]);
    await expectState(url, 'current', { verify: 0 });
  });

  it('is not identified by a table of the same name in another schema', async () => {
    const url = await unversioned('pg');
    await alter(
      url,
      "CREATE SCHEMA other; CREATE TABLE other.alembic_version (version_num text); INSERT INTO other.alembic_version VALUES ('x')",
    );
    expect(await statusOf(url)).toMatchObject({ state: 'unversioned', adopts: ['019'] });
  });
});

describe.each(['pg', 'sqlite'] as const)('an unversioned database (%s)', (engine) => {
  const suite = engine === 'pg' ? describePostgres : describe;

  suite('that is no known revision', () => {
    const renamed = 'ALTER TABLE projects RENAME COLUMN description TO about';
    const retyped = 'ALTER TABLE projects DROP COLUMN description; ALTER TABLE projects ADD COLUMN description BYTEA';
    it.for([
      { what: 'a renamed column', sql: renamed, message: 'column projects.description (text) is missing' },
      { what: 'a foreign type', sql: retyped, message: 'column projects.description is bytea, and should be text' },
    ])('is refused for $what, with the nearest revision, and not changed', async ({ sql, message }) => {
      const url = await unversioned(engine);
      await alter(url, sql);
      const before = await snapshot(url);

      const gate = await dbInit([], url);
      expect(gate.exitCode).toBe(12);
      expect(gate.stderr).toContain('The nearest is 019.');
      expect(gate.stderr.toLowerCase()).toContain(`- ${message}`);
      expect(gate.stderr).toContain('adopt --force --yes --revision 019');
      await expectState(url, 'unversioned', { status: 12, plan: 12, verify: 12 });
      const status = await statusOf(url);
      expect(JSON.stringify(status).toLowerCase()).toContain(message);
      expect(status).toMatchObject({
        adopts: [],
        problems: expect.arrayContaining([expect.objectContaining({ object: 'projects.description' })]),
      });
      expect(await snapshot(url)).toBe(before);
    });
  });

  suite("beside the owner's own tables and columns", () => {
    it('is adopted with them, and they stay', async () => {
      const url = await unversioned(engine);
      await alter(
        url,
        "CREATE TABLE mine (id INTEGER PRIMARY KEY); INSERT INTO mine VALUES (7); ALTER TABLE clients ADD COLUMN vip TEXT; UPDATE clients SET vip = 'yes'",
      );
      const { exitCode, all } = await dbInit([], url);
      expect(exitCode, all).toBe(0);
      expect(all).toContain("Not TimeTracker's, and not changed: clients.vip, mine.");
      const kept = await withSession(url, (session) =>
        session.query("SELECT count(*) AS n FROM clients, mine WHERE vip = 'yes' AND mine.id = 7"),
      );
      expect(Number(kept[0]?.['n'])).toBeGreaterThan(0);
    });
  });

  suite('adopted by hand', () => {
    it('is stamped by adopt and not migrated; the gate then migrates it', async () => {
      const url = await unversioned(engine);
      const before = await snapshot(url);
      const rehearsed = await dbInit(['adopt', '--dry-run'], url);
      expect(rehearsed.exitCode, rehearsed.all).toBe(0);
      expect(rehearsed.all).toContain('would be stamped 019');
      expect(await snapshot(url)).toBe(before);

      const { exitCode, all } = await dbInit(['adopt'], url);
      expect(exitCode, all).toBe(0);
      expect(await versionRows(url)).toEqual(['019']);
      await alter(url, 'DROP TABLE alembic_version');
      expect(await snapshot(url)).toBe(before);

      expect((await dbInit(['adopt', '--revision', '019'], url)).exitCode).toBe(0);
      const again = await dbInit(['adopt'], url);
      expect(again.exitCode).toBe(2);
      expect(again.stderr).toContain('already has version information: 019');
      await expectState(url, 'behind', { status: 0, gate: 0 });
      await expectState(url, 'current', { verify: 0 });
    });

    it('is compared with the given revision, and stamped with another one only with --force and consent', async () => {
      const url = await unversioned(engine);
      await alter(url, 'DELETE FROM task_activities; DROP TABLE task_activities');
      const before = await snapshot(url);
      const refused = await dbInit(['adopt', '--revision', '019'], url);
      expect(refused.exitCode).toBe(12);
      expect(refused.stderr).toContain('- table task_activities is missing');
      const rehearsed = await dbInit(['adopt', '--revision', '019', '--force', '--dry-run'], url);
      expect(rehearsed.exitCode).toBe(0);
      expect(rehearsed.all).toContain('table task_activities is missing');
      const silent = await dbInit(['adopt', '--revision', '019', '--force'], url);
      expect(silent.exitCode).toBe(2);
      expect(silent.stderr).toContain('--yes');
      expect(await snapshot(url)).toBe(before);

      const forced = await dbInit(['adopt', '--revision', '019', '--force', '--yes'], url);
      expect(forced.exitCode, forced.all).toBe(0);
      expect(await versionRows(url)).toEqual(['019']);
    });

    it('accepts several revisions, and leaves out ancestors of another', async () => {
      const url = await restoreRelease(engine, 'v4.20.0');
      await alter(url, 'DELETE FROM alembic_version');
      const rows = ['118_add_role_hidden_module_ids', '128_add_invoices_zugferd_pdf'];
      const { exitCode, all } = await dbInit(['adopt', '--revision', [...rows, '019'].join(',')], url);
      expect(exitCode, all).toBe(0);
      expect(await versionRows(url)).toEqual(rows);
    });

    it('is wrong usage for an unknown revision, and for --force without one', async () => {
      const url = await unversioned(engine);
      const unknown = await dbInit(['adopt', '--revision', '019,next'], url);
      expect(unknown.exitCode).toBe(2);
      expect(unknown.stderr).toContain('There is no revision "next"');
      expect((await dbInit(['adopt', '--force', '--yes'], url)).exitCode).toBe(2);
    });
  });
});

describePostgres('a database in another state', () => {
  it('is not adopted: an empty database, unknown tables, an unknown revision', async () => {
    const { url } = await createDatabase();
    const empty = await dbInit(['adopt'], url);
    expect(empty.exitCode).toBe(2);
    expect(empty.stderr).toContain('it is fresh');

    const newer = await restoredDatabase(state('unknown-revision'));
    expect((await dbInit(['adopt'], newer.url)).exitCode).toBe(13);
  });
});
