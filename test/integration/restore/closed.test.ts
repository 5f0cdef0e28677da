import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { atEnd } from '../../support/cleanup.ts';
import { admin } from '../../support/database.ts';
import { describePostgres } from '../../support/postgres-server.ts';
import { run } from '../../support/run.ts';
import { requireTrueWord } from '../../support/safe-word.ts';
import { install } from './restores.ts';

describePostgres('a database that was left closed', () => {
  it('is seen as that, with the statement that opens it, and what is beside it is named only if it is there', async () => {
    const place = await install('postgresql');
    const { name } = place.database;
    const env = { ...place.env, TT_WAIT_TIMEOUT: '1' };
    const says = async (...args: readonly string[]): Promise<string> => {
      const { exitCode, all } = await run(args, { env });
      expect(exitCode, all).toBe(4);
      requireTrueWord(all, false);
      const words = all.replaceAll(/\s+/g, ' ');
      expect(words).toContain(`The database lets nobody in: ${name}`);
      expect(words).toContain(`ALTER DATABASE "${name}" ALLOW_CONNECTIONS true`);
      return words;
    };
    await admin(`ALTER DATABASE "${name}" ALLOW_CONNECTIONS false`);
    for (const command of ['gate', 'status', 'verify']) {
      expect(await says(command)).toContain('No other database of a restore lies beside it.');
    }

    const former = `${name}_before_20261123_201500`;
    await admin(`CREATE DATABASE "${former}"`);
    atEnd(() => admin(`DROP DATABASE IF EXISTS "${former}" WITH (FORCE)`));
    expect(await says('gate')).toContain(`what restores have made or kept: ${former}.`);

    const memory = join(place.backups, '.db-init');
    await mkdir(memory, { recursive: true });
    await writeFile(join(memory, 'restore.json'), '{"format":1,"phase":"swap');
    for (const command of ['gate', 'status']) expect(await says(command)).toContain(former);
    expect(await says('gate')).toContain('restore.json, cannot be read');

    await admin(`ALTER DATABASE "${name}" ALLOW_CONNECTIONS true`);
    // open, and nobody can tell what the restore was about
    const { exitCode, all } = await run(['gate'], { env });
    expect(exitCode, all).toBe(31);
  });
});
