import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, beforeEach, expect, it } from 'vitest';
import { execute } from '../../support/database.ts';
import { startProxy } from '../../support/postgres-proxy.ts';
import { describePostgres } from '../../support/postgres-server.ts';
import { run } from '../../support/run.ts';
import { claimOf, safeSentence } from '../../support/safe-sentence.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { ask, relatedDatabases, currentArchive, describeRestores, type Installation, install } from './restores.ts';
import { journalOf } from './phases.ts';

/** An installation whose live database says which one it is. */
async function marked(engine: 'sqlite' | 'postgresql'): Promise<Installation> {
  const place = await install(engine);
  await execute(place.database, 'CREATE TABLE of_before (id int)');
  return place;
}

const isBefore = async ({ database }: Installation): Promise<boolean> => {
  const table = database.engine === 'sqlite' ? 'sqlite_schema' : 'pg_class';
  const name = database.engine === 'sqlite' ? 'name' : 'relname';
  return (await ask(database, `SELECT 1 FROM ${table} WHERE ${name} = 'of_before'`)).length > 0;
};

const claim = (output: string): string => claimOf(safeSentence(output) ?? '');

/** The environment in which the disk of the journal is full at some of its writes, counted from 1. */
async function fullAt(first: number, last: number): Promise<Record<string, string>> {
  const file = join(await temporaryDirectory(), 'full.mjs');
  await writeFile(
    file,
    `import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const { openSync } = fs;
    let writes = 0;
    fs.openSync = (path, ...rest) => {
      if (String(path).endsWith('/backups/.db-init/restore.json.partial') && ++writes >= ${first} && writes <= ${last}) {
        throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
      }
      return openSync(path, ...rest);
    };
    syncBuiltinESMExports();`,
  );
  return { NODE_OPTIONS: `--import=${file}` };
}

describeRestores('the Safe sentence if the disk of the journal is full', (engine) => {
  let place: Installation;
  const args = ['restore', currentArchive(engine), '--yes'];
  beforeAll(async () => {
    place = await marked(engine);
  });

  it('says at the beginning of the swap that the former database is live', async () => {
    const { exitCode, all } = await run(args, { env: { ...place.env, ...(await fullAt(2, 2)) } });
    expect([exitCode, claim(all)], all).toEqual([31, 'unchanged']);
    expect(await isBefore(place)).toBe(true);
    expect(journalOf(place)).toBeNull();
  });

  it('says after the swap that the restored database is live, and that the next start does the rest', async () => {
    const { exitCode, all } = await run(args, { env: { ...place.env, ...(await fullAt(3, Infinity)) } });
    expect([exitCode, claim(all)], all).toEqual([31, 'changed']);
    expect(safeSentence(all)).toContain('the restored database is live, and the former one is kept as');
    expect(await isBefore(place)).toBe(false);
    const gate = await place.must();
    expect(gate.all).toContain('It was finished');
    expect(await isBefore(place)).toBe(false);
    await place.must('restore', '--undo', '--yes');
    await place.must('restore', '--drop-former', '--yes');
  });

  it('is not needed if the disk is full only once after the swap: the restore is finished', async () => {
    const { exitCode, all } = await run(args, { env: { ...place.env, ...(await fullAt(3, 3)) } });
    expect(exitCode, all).toBe(0);
    expect(all).toContain('was completed, although a step failed');
    expect(journalOf(place)).toBeNull();
    expect(await isBefore(place)).toBe(false);
  });
});

describePostgres(
  'the Safe sentence if the connection is lost at the swap',
  () => {
    const args = ['restore', currentArchive('postgresql'), '--yes'];
    let place: Installation;
    beforeEach(async () => {
      place = await marked('postgresql');
    });

    /**
     * Runs a restore whose connection is cut when the databases are renamed.
     * @param side null: it is not cut, but later connections find no server
     * @param forGood whether the server stays away from then on
     * @param command the command that is run instead, after an undisturbed restore
     */
    async function restoreCut(side: 'before' | 'after' | null, forGood: boolean, command?: readonly string[]) {
      let [gone, cuts] = [false, command === undefined ? 0 : -1];
      const proxy = await startProxy(() =>
        gone
          ? { kind: 'hang up' }
          : {
              kind: 'forward',
              url: place.database.url,
              cut(query) {
                // the undo swaps too
                if (!query.includes('RENAME TO') || cuts < 0 || cuts++ > 0) return null;
                gone = forGood;
                return side;
              },
            },
      );
      const env = { ...place.env, DATABASE_URL: proxy.urlOf(place.database.url), TT_WAIT_TIMEOUT: '1' };
      if (command !== undefined) {
        await run(args, { env });
        cuts = 0;
      }
      const { exitCode, all } = await run(command ?? args, { env });
      gone = false;
      return { exitCode, all, next: (...words: readonly string[]) => run(words, { env }) };
    }

    it('is not needed if the server has swapped: the restore is finished', async () => {
      const { exitCode, all } = await restoreCut('after', false);
      expect(exitCode, all).toBe(0);
      expect(all).toContain('a new connection finds out whether the restore was committed');
      expect(await isBefore(place)).toBe(false);
      expect(await relatedDatabases(place.database)).toHaveLength(2);
    });

    it('says that everything is rolled back if the server has not swapped', async () => {
      const { exitCode, all } = await restoreCut('before', false);
      expect([exitCode, claim(all)], all).toEqual([3, 'unchanged']);
      expect(await isBefore(place)).toBe(true);
      expect(await relatedDatabases(place.database)).toHaveLength(1);
      expect(journalOf(place)).toBeNull();
    });

    it('says that the restored database stays live if the server has not swapped at an undo', async () => {
      const { exitCode, all } = await restoreCut('before', false, ['restore', '--undo', '--yes']);
      expect([exitCode, claim(all)], all).toEqual([3, 'unchanged']);
      expect(await isBefore(place)).toBe(false);
      expect(journalOf(place)).toBeNull();
    });

    it.each(['before', 'after'] as const)(
      'says that the outcome is unknown if the server cannot be asked (%s)',
      async (side) => {
        const { exitCode, all, next } = await restoreCut(side, true);
        expect([exitCode, claim(all)], all).toEqual([31, 'unknown']);
        const gate = await next();
        expect(gate.exitCode, gate.all).toBe(0);
        expect(gate.all).toContain(side === 'after' ? 'It was finished' : 'It was taken back');
        expect(await isBefore(place)).toBe(side === 'before');
      },
    );

    it('says that the restored database is live and not verified if the connection is lost right after the swap', async () => {
      const { exitCode, all, next } = await restoreCut(null, true);
      expect([exitCode, claim(all)], all).toEqual([3, 'changed']);
      expect(safeSentence(all)).toContain('the restored database is live, but db-init could not verify it');
      expect(await isBefore(place)).toBe(false);
      expect((await next('restore', '--undo', '--yes')).exitCode).toBe(0);
      expect(await isBefore(place)).toBe(true);
    });
  },
  'tools',
);
