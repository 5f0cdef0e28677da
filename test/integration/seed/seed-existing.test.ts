import { beforeAll, describe, expect, it } from 'vitest';
import { describePostgres } from '../../support/postgres-server.ts';
import { type DatabaseContents, readContents } from '../upgrade/database-contents.ts';
import { dbInit, restoreRelease, withSession } from '../upgrade/release-database.ts';
import { cellsChanged, rowsLost } from '../upgrade/lost-data.ts';
import { faultsIn, few, seed } from './seeds.ts';

// the first has people and categories of the application's own seed in it
for (const [engine, tag] of [
  ['pg', 'v5.10.0'],
  ['pg', 'v1.5.1'],
  ['sqlite', 'v5.10.0'],
  ['sqlite', 'v3.6.0'],
] as const) {
  const suite = engine === 'pg' ? describePostgres : describe;
  suite(`the seed over ${engine}/${tag}`, () => {
    let url: string;
    let before: DatabaseContents;
    beforeAll(async () => {
      url = await restoreRelease(engine, tag);
      await dbInit([], url);
      // rows of the owner's with names of the seed
      await withSession(url, async (session) => {
        await session.query("UPDATE clients SET name = 'Nordhavn Logistics' WHERE id = (SELECT min(id) FROM clients)");
        await session.query("UPDATE projects SET code = 'DEV001-02' WHERE id = (SELECT min(id) FROM projects)");
        await session.query(
          "UPDATE expense_categories SET code = 'other' WHERE id = (SELECT min(id) FROM expense_categories WHERE NOT EXISTS (SELECT 1 FROM expense_categories WHERE code = 'other'))",
        );
      });
      before = await withSession(url, readContents);
    });

    it('adds rows, and does not change existing ones', async () => {
      const first = await seed(url, [...few, '--json']);
      expect(first.exitCode, first.all).toBe(0);
      expect(JSON.parse(first.stdout)).toMatchObject({ clients: 1, projects: 4, tasks: 12, time_entries: 60 });
      const after = await withSession(url, readContents);
      expect(rowsLost(before, after)).toEqual([]);
      expect(cellsChanged(before, after)).toEqual([]);
    });

    it('makes consistent rows, and adds nothing the second time', async () => {
      expect(await faultsIn(url)).toEqual({});
      const second = await seed(url, few);
      expect(second.stdout, second.all).toContain('nothing was added');
    });
  });
}
