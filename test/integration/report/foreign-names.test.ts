import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isPrintable } from '../../../src/platform/printable.ts';
import { describeEngines } from '../../support/database.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { runInProcess } from '../../support/run-in-process.ts';
import { withSession } from '../upgrade/release-database.ts';

/** Characters that break a line, change the direction of writing, are invisible, or control a terminal. */
const forgedName = 'e\nFORGED: all is well\u202E\u2028\u200B\u001B[2Jx';
const quoted = `"${forgedName}"`;

/** The objects with untrusted names. */
const objects = {
  postgresql: [
    `CREATE TABLE ${quoted} (${quoted} integer)`,
    `ALTER TABLE clients ADD COLUMN ${quoted} integer`,
    `CREATE INDEX "i${forgedName}" ON clients (${quoted})`,
    `CREATE VIEW "v${forgedName}" AS SELECT 1 AS ${quoted}`,
    `CREATE SCHEMA "s${forgedName}"`,
    `CREATE FUNCTION "f${forgedName}"() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'`,
    `CREATE TRIGGER "t${forgedName}" BEFORE INSERT ON clients FOR EACH ROW EXECUTE FUNCTION "f${forgedName}"()`,
    `CREATE TYPE "y${forgedName}" AS ENUM ('${forgedName}')`,
  ],
  sqlite: [
    `CREATE TABLE ${quoted} (${quoted} integer)`,
    `ALTER TABLE clients ADD COLUMN ${quoted} integer`,
    `CREATE INDEX "i${forgedName}" ON clients (${quoted})`,
    `CREATE VIEW "v${forgedName}" AS SELECT 1 AS ${quoted}`,
    `CREATE TRIGGER "t${forgedName}" BEFORE INSERT ON clients BEGIN SELECT 1; END`,
  ],
};

describeEngines('a name of a stranger', ({ create, name: engine }) => {
  it('forges no line and controls no terminal, in any output and form', async () => {
    const { url } = await create();
    const folder = await temporaryDirectory();
    const backups = join(folder, 'backups');
    await mkdir(backups);
    const env = { DATABASE_URL: url, UPLOAD_FOLDER: folder, BACKUP_FOLDER: backups };
    expect((await runInProcess(['gate'], env)).exitCode).toBe(0);
    await withSession(url, async (session) => {
      for (const sql of objects[engine]) await session.query(sql);
    });
    await writeFile(join(backups, `${forgedName.replaceAll('/', '')}.zip`), 'no archive');
    const named = new Set<string>();
    const look = async (...words: string[]) => {
      for (const [form, more] of Object.entries({ text: {}, log: { TT_LOG_FORMAT: 'json' }, json: {} })) {
        // slow commands run in one form only
        if (words.some((word) => ['create', '--dry-run', 'gate'].includes(word)) && form !== 'log') continue;
        const args = form === 'json' ? [...words, '--json'] : words;
        const { all } = await runInProcess(args, { ...env, ...more });
        for (const line of all.split('\n')) {
          expect({ args, line, printable: isPrintable(line) }).toEqual({ args, line, printable: true });
          expect(line.trimStart().startsWith('FORGED'), `${args.join(' ')}: ${line}`).toBe(false);
        }
        if (all.includes('FORGED')) named.add(words.slice(0, 2).join(' '));
      }
    };
    await look('status');
    await look('plan');
    await look('verify');
    await look('repair', '--dry-run');
    await look('backup', 'create');
    const { stdout } = await runInProcess(['backup', 'list', '--json'], env);
    const { backups: listed }: { backups: { path: string; problem: unknown }[] } = JSON.parse(stdout);
    const archive = listed.find(({ problem }) => problem === null)?.path ?? '';
    await look('backup', 'list');
    await look('backup', 'verify', archive);
    await look('backup', 'verify', `${forgedName}.zip`);
    await look('restore', archive, '--dry-run');
    await look('restore', `${forgedName}.zip`, '--yes');
    await withSession(url, (session) =>
      session.query(`UPDATE alembic_version SET version_num = 'x${forgedName.slice(0, 20)}'`),
    );
    await look('gate');
    await look('quarantine', 'create', '--yes');
    await look('quarantine', 'list');
    await look('quarantine', 'purge', forgedName, '--yes');
    await look('adopt', '--revision', forgedName);
    await look(forgedName);
    // the name was in the output
    const telling = ['status', 'verify', 'backup list', 'backup verify', 'quarantine list', 'quarantine purge', 'gate'];
    expect([...named]).toEqual(expect.arrayContaining(telling));
  });
});
