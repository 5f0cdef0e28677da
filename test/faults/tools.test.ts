import { beforeAll, describe, expect, it } from 'vitest';
import { archivesIn } from '../integration/backup/backups.ts';
import { admin, createDatabase } from '../support/database.ts';
import { describePostgres, requirePostgres } from '../support/postgres-server.ts';
import { requireTrueSafeSentence } from '../support/safe-sentence.ts';
import { snapshot } from '../support/snapshot.ts';
import { bugPattern, runInProcess } from '../support/run-in-process.ts';
import { namesIn, oldInstallation, resetOf } from './full-lifecycle.ts';
import { ownerOf } from './owners.ts';
import { machineWith, type Tools } from './tools.ts';
import { noVolumes } from './volumes.ts';

const onMachines = noVolumes === null ? describe : describe.skip;
const reason = noVolumes === null ? '' : ` [skipped: ${noVolumes}]`;

/** An old installation with an archive of it, and a function that runs db-init on it with these tools. */
async function oldOne() {
  const database = await createDatabase();
  const { url, role } = await ownerOf(database, 'CREATEDB');
  const env = await oldInstallation(url, 'old');
  const { BACKUP_FOLDER: backups = '' } = env;
  const here = async (...args: readonly string[]): Promise<void> => {
    const { exitCode, all } = await runInProcess(args, env);
    expect(exitCode, all).toBe(0);
  };
  await here('backup', 'create');
  const [archive = ''] = await archivesIn(backups);
  return {
    role,
    url: database.url,
    archive: `${backups}/${archive}`,
    here,
    archives: () => archivesIn(backups),
    /** @returns its output, in one line */
    async where(tools: Tools, args: readonly string[], expected: number, more = {}): Promise<string> {
      const run = await machineWith(tools);
      const { exitCode, all } = await run(args, { ...env, ...more });
      expect([args, exitCode, all]).toEqual([args, expected, expect.not.stringMatching(bugPattern)]);
      // each test compares the database
      if (expected !== 0) requireTrueSafeSentence(all, false);
      return all.replaceAll(/\s+/g, ' ');
    },
  };
}

type Old = Awaited<ReturnType<typeof oldOne>>;

describePostgres(
  "PostgreSQL's client programs",
  () => {
    onMachines(`where some are missing or too old${reason}`, () => {
      const always = { TT_BACKUP_BEFORE_MIGRATE: 'always' };
      let old: Old;
      let before: string;
      beforeAll(async () => {
        old = await oldOne();
        before = await snapshot(old.url);
      });

      it.each<[string, Tools, (major: number) => string]>([
        ['no tool at all', {}, (major) => `PostgreSQL ${major} needs pg_dump ${major} or newer: there is none here.`],
        [
          'older tools',
          { pg_dump: '12.9', pg_restore: '12.9', psql: '12.9' },
          (major) => `PostgreSQL ${major} needs pg_dump ${major} or newer: there is only pg_dump 12 here.`,
        ],
        [
          'nothing to prove a dump with',
          { pg_dump: 'real', psql: 'real' },
          (major) => `needs pg_restore ${major} or newer: there is none here.`,
        ],
      ])('make no backup with %s, and stop a start that needs one', async (_, tools, sentence) => {
        const expected = sentence(requirePostgres().major);
        const byHand = await old.where(tools, ['backup', 'create'], 30);
        expect(byHand).toContain(expected);
        expect(byHand).toMatch(/newer image of db-init.*install that version/);
        expect(await old.where(tools, ['gate'], 30, always)).toContain(expected);
        expect(await old.archives()).toHaveLength(1);
        expect(await snapshot(old.url)).toBe(before);
      });

      it('are also needed before a reset deletes anything', async () => {
        const { major } = requirePostgres();
        const told = await old.where({ pg_dump: '12.9', pg_restore: '12.9' }, resetOf(old.url), 30);
        expect(told).toContain(`PostgreSQL ${major} needs pg_dump ${major} or newer: there is only pg_dump 12 here.`);
        expect(await snapshot(old.url)).toBe(before);
      });

      it.each<[string, Tools, RegExp]>([
        ['no pg_restore', { pg_dump: 'real', psql: 'real' }, /and there is no pg_restore here/],
        ['one that is too old', { pg_restore: '11.22', psql: 'real' }, /and (?:the newest )?pg_restore here is 11/],
      ])('verify and restore no archive with %s', async (_, tools, sentence) => {
        const made = new RegExp(
          `made by pg_dump ${requirePostgres().major}\\.\\d+.* which pg_restore \\d+ and newer read`,
        );
        for (const args of [
          ['backup', 'verify', old.archive],
          ['restore', old.archive, '--yes'],
        ]) {
          const told = await old.where(tools, args, 32);
          expect(told).toMatch(sentence);
          expect(told).toMatch(made);
          expect(told).toMatch(/newer image of db-init.*install that version/);
        }
        expect(await snapshot(old.url)).toBe(before);
      });

      it('need psql to leave out settings that the server does not know', async () => {
        const told = await old.where({ pg_restore: '99.1' }, ['restore', old.archive, '--yes'], 32);
        const { major } = requirePostgres();
        expect(told).toContain(
          `pg_restore 99 writes is loaded into a PostgreSQL ${major} server with psql, and there is no psql`,
        );
        expect(await snapshot(old.url)).toBe(before);
      });

      it('restore without psql only trusted archives, and none for a user without CREATEDB', async () => {
        const restore = ['restore', old.archive, '--yes'];
        expect(await old.where({ pg_restore: 'real' }, restore, 32)).toContain(
          'A dump is loaded with psql, and there is no psql here',
        );
        await admin(`ALTER ROLE ${old.role} NOCREATEDB`);
        const trusting = old.where({ pg_restore: 'real' }, [...restore, '--trust-archive'], 31);
        await Promise.allSettled([trusting]);
        await admin(`ALTER ROLE ${old.role} CREATEDB`);
        expect(await trusting).toContain('psql is needed to load a dump in one transaction, and there is no psql here');
        expect(await snapshot(old.url)).toBe(before);
      });

      it('are not needed for an undo, or for a start whose backup is optional', async () => {
        await old.here('restore', old.archive, '--yes');
        await old.where({}, ['restore', '--undo', '--yes'], 0);
        expect(await snapshot(old.url)).toBe(before);
        const told = await old.where({}, ['gate'], 0);
        expect(told).toMatch(/WARNING: No safety backup was made: .* there is none here/);
        expect(await namesIn(old.url)).toEqual(['old']);
      });
    });
  },
  'tools',
);
