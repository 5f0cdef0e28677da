import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { createSqliteDatabase } from '../../support/database.ts';
import { release, releases, sqliteFile } from '../../support/fixtures.ts';
import { snapshot } from '../../support/snapshot.ts';
import { dbInit } from '../upgrade/release-database.ts';
import { held, only, quarantine } from './quarantines.ts';

const stray = 'CREATE TABLE stray (id integer PRIMARY KEY, note text); INSERT INTO stray (note) VALUES (1), (2)';

describe('quarantine (sqlite)', () => {
  const fileWith = async (sql: string): Promise<{ url: string; file: string }> => {
    const { url, name: file } = await createSqliteDatabase();
    const database = new Database(file);
    database.exec(sql);
    database.close();
    return { url, file };
  };
  const filesBeside = (file: string): string[] =>
    readdirSync(dirname(file)).filter((name) => !name.endsWith('-lock') && name !== '.db-init-recovered');

  it('puts the file aside after consent, lists it, and brings it back', async () => {
    const { url, file } = await fileWith(stray);
    const before = await snapshot(url);
    const refused = await dbInit(['gate'], url);
    expect(refused).toMatchObject({ exitCode: 10 });
    expect(refused.stderr).toContain('db-init quarantine create --yes');

    expect(await quarantine(url, 'create')).toMatchObject({ exitCode: 2 });
    expect(await snapshot(url)).toBe(before);
    expect(await quarantine(url, 'create', '--yes')).toMatchObject({ exitCode: 0 });
    expect(existsSync(file)).toBe(false);
    const entry = only(await held(url));
    expect(entry).toMatchObject({ state: 'complete', relations: 1, rows: 2 });
    expect(filesBeside(file)).toEqual([entry.name]);

    expect(await quarantine(url, 'restore', entry.name, '--dry-run')).toMatchObject({ exitCode: 0 });
    expect(existsSync(file)).toBe(false);
    expect(await quarantine(url, 'restore', entry.name)).toMatchObject({ exitCode: 0 });
    expect(await snapshot(url)).toBe(before);
    expect(await held(url)).toEqual([]);
  });

  it('has a name in the time zone of TZ, and the list names the zone', async () => {
    const { url } = await fileWith(stray);
    const zone = { TZ: 'Pacific/Kiritimati' };
    await dbInit(['quarantine', 'create', '--yes'], url, zone);
    const { name, since } = only(await held(url, zone));
    const local = new Date(Date.parse(since) + 14 * 3_600_000).toISOString().slice(0, 19);
    expect(name).toContain(`.quarantine_${local.replaceAll(/[-:]/g, '').replace('T', 't')}`);
    const { stdout } = await dbInit(['quarantine', 'list'], url, zone);
    expect(stdout).toContain(`since ${local.replace('T', ' ')}+14:00`);
  });

  it('starts a partial migration over with nothing lost', async () => {
    const [tag = ''] = await releases('sqlite');
    const file = await sqliteFile(release('sqlite', tag, 'before.db.gz'));
    const url = `sqlite:///${file}`;
    const database = new Database(file);
    database.pragma('foreign_keys = OFF');
    database.exec('DROP TABLE users');
    database.close();
    const before = await snapshot(url);
    const refused = await dbInit(['gate'], url);
    expect(refused).toMatchObject({ exitCode: 11 });
    expect(refused.stderr).toContain('db-init quarantine create --all --yes');

    expect(await quarantine(url, 'create', '--all', '--yes')).toMatchObject({ exitCode: 0 });
    expect(await dbInit(['gate'], url)).toMatchObject({ exitCode: 0 });
    const { name } = only(await held(url));
    const clash = await quarantine(url, 'restore', name);
    expect(clash).toMatchObject({ exitCode: 31 });
    expect(await dbInit(['verify'], url)).toMatchObject({ exitCode: 0 });
    expect(await snapshot(`sqlite:///${dirname(file)}/${name}`)).toBe(before);
  });

  it('includes the write-ahead log of a program that was killed', async () => {
    const { url, file } = await fileWith(stray);
    const { url: killed, name: copy } = await createSqliteDatabase();
    const database = new Database(file);
    database.pragma('journal_mode = WAL');
    database.exec("INSERT INTO stray (note) VALUES ('only in the log')");
    for (const side of ['', '-wal']) writeFileSync(copy + side, readFileSync(file + side));
    database.close();
    const before = await snapshot(url);

    expect(await quarantine(killed, 'create', '--yes')).toMatchObject({ exitCode: 0 });
    expect(filesBeside(copy)).toEqual([only(await held(killed)).name]);
    expect(await quarantine(killed, 'restore', only(await held(killed)).name)).toMatchObject({ exitCode: 0 });
    expect(await snapshot(killed)).toBe(before);
  });

  for (const journal of ['DELETE', 'WAL']) {
    it(`moves nothing while another program is writing (journal mode ${journal})`, async () => {
      const { url, file } = await fileWith(stray);
      const database = new Database(file);
      database.pragma(`journal_mode = ${journal}`);
      database.exec('BEGIN IMMEDIATE; DELETE FROM stray');
      expect(await quarantine(url, 'create', '--yes')).toMatchObject({ exitCode: 10 });
      expect(await held(url)).toEqual([]);
      database.exec('ROLLBACK');
      database.close();
      expect(await quarantine(url, 'create', '--yes')).toMatchObject({ exitCode: 0 });
      expect(only(await held(url))).toMatchObject({ rows: 2 });
    });
  }

  it('puts aside a file that is no database, with its side files, and continues after an interruption', async () => {
    const { url, name: file } = await createSqliteDatabase();
    writeFileSync(file, 'this is not a database, but it may be all there is');
    writeFileSync(`${file}-wal`, 'neither is this');
    expect(await dbInit(['gate'], url)).toMatchObject({ exitCode: 17 });
    expect(await quarantine(url, 'create', '--yes')).toMatchObject({ exitCode: 0 });
    const { name } = only(await held(url));
    expect(filesBeside(file)).toEqual([name, `${name}-wal`]);

    // the file itself is moved last: this is the state after a kill
    renameSync(`${dirname(file)}/${name}`, file);
    expect(only(await held(url))).toMatchObject({ name, state: 'unfinished' });
    expect(await quarantine(url, 'create', '--yes')).toMatchObject({ exitCode: 0 });
    expect(only(await held(url))).toMatchObject({ name, state: 'complete', relations: null });

    // and this in the other direction
    renameSync(`${dirname(file)}/${name}-wal`, `${file}-wal`);
    expect(await dbInit(['gate'], url)).toMatchObject({ exitCode: 17 });
    expect(await quarantine(url, 'restore', name)).toMatchObject({ exitCode: 0 });
    expect(filesBeside(file)).toEqual(['timetracker.db', 'timetracker.db-wal']);
  });

  it('deletes only after consent', async () => {
    const { url, file } = await fileWith(stray);
    await quarantine(url, 'create', '--yes');
    const { name } = only(await held(url));
    expect(await quarantine(url, 'purge', name)).toMatchObject({ exitCode: 2 });
    expect(filesBeside(file)).toEqual([name]);
    expect(await quarantine(url, 'purge', name, '--yes')).toMatchObject({ exitCode: 0 });
    expect(filesBeside(file)).toEqual([]);
    expect(await quarantine(url, 'restore', name)).toMatchObject({ exitCode: 2 });
  });

  it('reports that there is nothing to move, and shows its usage', async () => {
    const { url } = await createSqliteDatabase();
    expect(await quarantine(url, 'create', '--yes')).toMatchObject({ exitCode: 0 });
    expect((await quarantine(url, 'list')).stdout).toContain('Nothing is in quarantine.');
    for (const verb of [[], ['forget'], ['restore'], ['create', 'name'], ['list', '--yes'], ['purge', 'a', 'b']]) {
      expect(await quarantine(url, ...verb)).toMatchObject({ exitCode: 2 });
    }
  });
});
