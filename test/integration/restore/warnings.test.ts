import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { execute } from '../../support/database.ts';
import { releaseGraph } from '../../../src/migration/revisions.ts';
import { run } from '../../support/run.ts';
import { applicationArchive, databaseOf } from './crafted.ts';
import { describeRestores, type Installation, install } from './restores.ts';

/** The example of the specification of Fernet: a token, and the key that signed it. */
const token = 'gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==';
const key = 'cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=';
const otherKey = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=';

const head = releaseGraph.heads.join();
const needsKey = /encrypted: the application needs the SETTINGS_ENCRYPTION_KEY/;
const another = /encrypted with another SETTINGS_ENCRYPTION_KEY/;
const wizard = /installation\.json is not there/;

describeRestores('the warning before a restore', (engine) => {
  let place: Installation;
  let encrypted: string;
  let plain: string;
  /** The warnings for an archive that is not of the application, so the restore ends before any change. */
  const said = async (archive: string, settingsKey?: string): Promise<string> => {
    const env = { ...place.env, ...(settingsKey !== undefined && { SETTINGS_ENCRYPTION_KEY: settingsKey }) };
    const { exitCode, all } = await run(['restore', archive, '--yes'], { env });
    expect(exitCode, all).toBe(32);
    return all;
  };
  beforeAll(async () => {
    place = await install(engine);
    const database = (value: string): Promise<Buffer> =>
      databaseOf(engine, `CREATE TABLE settings (mail_password text); INSERT INTO settings VALUES ('${value}')`);
    encrypted = await applicationArchive(engine, await database(`enc:v1:${token}`), head);
    plain = await applicationArchive(engine, await database('in clear'), head);
  });

  it('names users who were erased after the archive was made, and no others', async () => {
    expect(await said(plain)).not.toContain('brings back erased users');
    await execute(
      place.database,
      `CREATE TABLE users (id integer, anonymized_at timestamp);
       INSERT INTO users VALUES (1, NULL), (2, '2026-11-20 09:00:00'), (3, '2026-11-24 09:00:00.123'), (4, '2026-11-23 00:00:00')`,
    );
    const text = await said(plain);
    expect(text.replaceAll(/\s+/g, ' ')).toContain(
      'brings back erased users: 2 users of the present database (id 3, 4) were erased',
    );
    await execute(place.database, 'DROP TABLE users');
  });

  it('says that a key is needed', async () => {
    expect(await said(encrypted)).toMatch(needsKey);
  });

  it('does not come if the key fits, or nothing is encrypted', async () => {
    for (const text of [await said(encrypted, key), await said(plain, otherKey)]) {
      expect(text).not.toMatch(needsKey);
      expect(text).not.toMatch(another);
      expect(text).not.toContain(key);
    }
  });

  it('says that the key is another one, and does not show it', async () => {
    const text = await said(encrypted, otherKey);
    expect(text).toMatch(another);
    expect(text).not.toContain(otherKey);
  });

  it('says that the set-up wizard will appear if installation.json is missing', async () => {
    expect(await said(plain)).toMatch(wizard);
    await writeFile(join(place.root, 'installation.json'), '{}');
    expect(await said(plain)).not.toMatch(wizard);
  });
});
