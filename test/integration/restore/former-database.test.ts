import { existsSync } from 'node:fs';
import { cp, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import { execute, admin, databaseUrl, type TestDatabase } from '../../support/database.ts';
import { waitForOutput } from '../../support/wait-for-output.ts';
import {
  ask,
  relatedDatabases,
  currentArchive,
  describeRestores,
  fillWithNewer,
  install,
  type Installation,
  put,
} from './restores.ts';

/** The database that a restore has kept. */
async function formerOf({ database }: Installation): Promise<TestDatabase> {
  const name = (await relatedDatabases(database)).find((other) => /_before_|\.bak_/.test(other)) ?? '';
  if (database.engine === 'postgresql') return { ...database, name, url: databaseUrl(name) };
  return { ...database, name: join(database.name, '..', name) };
}

const entrypoint = join(import.meta.dirname, '../../../entrypoint');

const words = (text: string): string => text.replaceAll(/\s+/g, ' ');

describeRestores('a former database that was changed since it was put aside', (engine) => {
  const back = ['restore', '--undo', '--yes'];
  let place: Installation;
  let users: number;
  const isBefore = async (): Promise<boolean> =>
    (
      await ask(
        place.database,
        `SELECT 1 FROM ${engine === 'sqlite' ? 'sqlite_schema WHERE name' : 'pg_class WHERE relname'} = 'of_mine'`,
      )
    ).length > 0;

  beforeAll(async () => {
    place = await install(engine);
    await fillWithNewer(place.database);
    // an unhealthy database can be put back too
    await execute(
      place.database,
      `DELETE FROM alembic_version; CREATE TABLE of_mine (note text); INSERT INTO of_mine VALUES ('a');
       CREATE TABLE old_thing (id int)`,
    );
    await put(place.statics, { 'mine.txt': 'mine', 'folder/yours.txt': 'yours' });
    users = Number((await ask(place.database, 'SELECT count(*) FROM users'))[0]);
    await place.must('restore', currentArchive(engine), '--yes');
  });

  it('is put back unchanged if it was not changed', async () => {
    for (const before of [true, false]) {
      const { all } = await place.must(...back);
      expect(all).toContain('is the database from before the last restore again, as it was.');
      expect(await isBefore()).toBe(before);
    }
  });

  it('is not put back before the owner has read what was changed', async () => {
    const former = await formerOf(place);
    await execute(
      former,
      `INSERT INTO of_mine VALUES ('b'); CREATE VIEW looking AS SELECT note FROM of_mine; DROP TABLE old_thing;
       CREATE INDEX mine_too ON users (email, username); INSERT INTO alembic_version VALUES ('030_x');
       UPDATE clients SET name = 'x' || id`,
    );
    const changes = [
      'alembic_version held nothing, and holds 030_x now.',
      'of_mine had 1 row, and has 2 rows now.',
      'view looking did not exist then, and exists now.',
      'old_thing existed then, and does not exist now.',
      engine === 'sqlite' ? 'index mine_too did not exist then, and exists now.' : 'users has another definition',
      ...(engine === 'sqlite' ? [] : ['clients has as many rows as before, but not the same ones.']),
    ];
    const refused = await place.run(...back);
    expect(refused.exitCode, refused.all).toBe(31);
    for (const change of changes) expect(words(refused.stderr)).toContain(change);
    expect(refused.stderr).toContain('--accept-changes');
    expect(words(refused.stderr)).toContain('the live database is as it was.');
    expect(await isBefore()).toBe(false);
    const undone = await place.must(...back, '--accept-changes');
    for (const change of changes) expect(words(undone.all)).toContain(change);
    expect(undone.all).toContain('with the changes that were made to it since');
    // the accepted state is compared the next time
    await place.must(...back);
  });

  it('is not put back if only a value was changed, and no number of rows', async () => {
    await execute(await formerOf(place), "UPDATE users SET email = 'x' || id");
    const { exitCode, stderr } = await place.run(...back);
    expect(exitCode, stderr).toBe(31);
    expect(words(stderr)).toContain(
      engine === 'sqlite'
        ? 'The file was written to, though'
        : 'users has as many rows as before, but not the same ones.',
    );
    await place.must(...back, '--accept-changes');
    await place.must(...back);
  });

  it('is not put back if its uploads were changed', async () => {
    const kept = async () => {
      const found = await readdir(join(place.backups, '.db-init/former-uploads'));
      const sets = found.map((name) => join(place.backups, '.db-init/former-uploads', name));
      return sets.find((set) => existsSync(join(set, 'mine.txt'))) ?? '';
    };
    const changes: readonly (readonly [RegExp, (set: string) => Promise<void>])[] = [
      [
        /Of \S+ 4 files \(16 bytes\) were put aside, and there are 3 files \(12 bytes\) now/,
        (set) => rm(join(set, 'mine.txt')),
      ],
      [
        /as many files are there as were put aside, but not the same ones/,
        (set) => utimes(join(set, 'mine.txt'), 1, 1),
      ],
      [/Of \S+ 4 files \(16 bytes\) were put aside, and are gone/, (set) => rename(set, `${set}_gone`)],
    ];
    for (const [told, change] of changes) {
      const set = await kept();
      await cp(set, `${set}_as_it_was`, { recursive: true, preserveTimestamps: true });
      await change(set);
      const { exitCode, stderr } = await place.run(...back);
      expect([exitCode, words(stderr)]).toEqual([31, expect.stringMatching(told)]);
      expect(words(stderr)).toContain('The uploads that were put aside with');
      expect(await isBefore()).toBe(false);
      await rm(set, { recursive: true, force: true });
      await rename(`${set}_as_it_was`, set);
    }
    await rm(`${await kept()}_gone`, { recursive: true });
    for (const before of [true, false]) {
      expect((await place.must(...back)).all).toContain('as it was.');
      expect(await isBefore()).toBe(before);
    }
  });

  it('is put back without a comparison if it was not measured', async () => {
    const file = join(place.backups, '.db-init/restores.json');
    const memory = await readFile(file, 'utf8');
    const older: unknown = JSON.parse(memory, (key, value: unknown) => (key === 'measured' ? undefined : value));
    await writeFile(file, JSON.stringify(older));
    const { all } = await place.must(...back);
    expect(words(all)).toMatch(/could not be compared with what was put aside at \S+Z: it was not measured then/);
    expect(all).not.toContain('as it was.');
    expect(Number((await ask(place.database, 'SELECT count(*) FROM users'))[0])).toBe(users);
    await place.must(...back);
  });

  it('is not put back if it cannot be read', async () => {
    const former = await formerOf(place);
    if (engine === 'sqlite') await writeFile(former.name, (await readFile(former.name)).fill(7, 0, 50));
    else await admin(`ALTER DATABASE "${former.name}" ALLOW_CONNECTIONS false`);
    const { exitCode, stderr } = await place.run(...back);
    expect(exitCode, stderr).toBe(31);
    expect(words(stderr)).toContain('It cannot be read any more');
    expect(await isBefore()).toBe(false);
  });
});

// only the `script` of util-linux can run a command with -c
const { failed: missing } = await execa('script', ['-qec', 'true', '/dev/null'], { reject: false, stdin: 'ignore' });

describe.skipIf(missing)('an undo on a terminal', () => {
  it('puts nothing back that was changed while it waited for an answer', async () => {
    const place = await install('sqlite');
    await fillWithNewer(place.database);
    await place.must('restore', currentArchive('sqlite'), '--yes');
    const former = await formerOf(place);
    const terminal = execa('script', ['-qec', `'${entrypoint}' restore --undo`, '/dev/null'], {
      env: { PATH: process.env['PATH'], ...place.env },
      extendEnv: false,
      reject: false,
    });
    await waitForOutput(terminal, /Type yes to continue: /);
    await execute(former, 'DELETE FROM alembic_version');
    terminal.stdin.write('yes\r');
    const { exitCode, stdout } = await terminal;
    expect(exitCode, stdout).toBe(31);
    expect(words(stdout)).toContain('alembic_version held');
    expect(await relatedDatabases(place.database)).toHaveLength(2);
  });
});
