import { expect, it } from 'vitest';
import { cases } from '../../support/conversions.ts';
import { withClient } from '../../support/database.ts';
import { describePostgres } from '../../support/postgres-server.ts';
import { ask, besides, currentArchive, execute, install, uploadsIn, uploadsOf } from './restores.ts';
import { inEveryRun, restoreAndCompare } from './sqlite-rows.ts';

describePostgres(
  'the rows of a SQLite database in PostgreSQL',
  () => {
    it('are written as PostgreSQL itself writes them', async () => {
      const { database } = await install('postgresql');
      await withClient(database.url, async (client) => {
        await client.query('SET IntervalStyle TO postgres; SET bytea_output TO hex; SET extra_float_digits TO 1');
        for (const [type, values] of Object.entries(cases)) {
          for (const text of values
            .map(([, becomes]) => becomes.replace(/ #\S+$/, ''))
            .filter((each) => !each.startsWith('!'))) {
            const { rows } = await client.query<{ text: string }>(`SELECT $1::text::${type}::text AS text`, [text]);
            expect([type, rows[0]?.text]).toEqual([
              type,
              type === 'boolean' ? (text === 't' ? 'true' : 'false') : text,
            ]);
          }
        }
      });
    });

    for (const tag of inEveryRun) {
      it(`arrive out of the bare file of ${tag}, cell by cell`, async () => {
        const { database, must } = await install('postgresql');
        expect(await restoreAndCompare(tag, { database, must })).toEqual([]);
        // numbers go on after the highest one
        await execute(database, "INSERT INTO clients (name, created_at, updated_at) VALUES ('next', now(), now())");
        expect((await must()).stdout).toContain('healthy and current');
      });
    }

    it('arrive out of an archive with its uploads, and are taken back by an undo', async () => {
      const archive = currentArchive('sqlite');
      const { database, statics, run: on } = await install('postgresql');
      await execute(database, 'CREATE TABLE of_mine (id integer)');
      const stopped = await on('restore', archive, '--yes');
      expect(stopped.exitCode, stopped.all).toBe(31);
      expect(stopped.stderr).toMatch(/audit_logs\.entity_metadata: \d+ rows have a text that is no JSON \(json\)/);
      expect(await besides(database)).toEqual([database.name]);
      expect(await ask(database, 'SELECT count(*)::int FROM of_mine')).toEqual([0]);

      const { exitCode, all } = await on('restore', archive, '--set-aside', '--yes');
      expect(exitCode, all).toBe(0);
      expect(await uploadsIn(statics)).toEqual(uploadsOf(archive));
      expect((await on('quarantine', 'list')).stdout).toContain('rows of a SQLite database');
      expect((await on()).stdout).toContain('healthy and current');
      expect((await on('restore', '--undo', '--yes')).exitCode).toBe(0);
      expect(await ask(database, 'SELECT count(*)::int FROM of_mine')).toEqual([0]);
      expect(Object.keys(await uploadsIn(statics))).toContain('logos/mine.png');
    });
  },
  'tools',
);
