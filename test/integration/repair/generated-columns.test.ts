import { expect, it } from 'vitest';
import { describeEngines } from '../../support/database.ts';
import { snapshot } from '../../support/snapshot.ts';
import { dbInit, restoreRelease, withSession } from '../upgrade/release-database.ts';

describeEngines("a generated column in place of the application's", ({ name }) => {
  it('is refused before a migration, and the banner makes it ordinary', async () => {
    const url = await restoreRelease(name === 'sqlite' ? 'sqlite' : 'pg', 'v4.20.0');
    const stored = name === 'sqlite' ? '' : 'STORED';
    await withSession(url, (session) =>
      session.run(`ALTER TABLE badges DROP COLUMN description;
                   ALTER TABLE badges ADD COLUMN description TEXT GENERATED ALWAYS AS (upper(name)) ${stored}`),
    );
    const before = await snapshot(url);
    const environment = { TT_BACKUP_BEFORE_MIGRATE: 'never' };
    for (const command of ['plan', 'status', 'gate']) {
      const { exitCode, all } = await dbInit([command], url, environment);
      expect(exitCode, all).toBe(14);
    }
    expect(await snapshot(url)).toBe(before);

    const values = 'SELECT id, description FROM badges ORDER BY id';
    const generated = await withSession(url, (session) => session.query(values));
    const { stderr } = await dbInit(['gate'], url, environment);
    const [, remedy = ''] = /^ +(ALTER TABLE "badges"[^]*?;)\n\d\. /m.exec(stderr) ?? [];
    await withSession(url, (session) => session.run(remedy));
    const { exitCode, all } = await dbInit(['gate'], url, environment);
    expect(exitCode, all).toBe(0);
    expect(await withSession(url, (session) => session.query(values))).toEqual(generated);
    expect(generated).not.toEqual([]);
  });
});
