import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandNames } from '../../../src/cli/commands.ts';
import { createSqliteDatabase } from '../../support/database.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { runInProcess, type RunOutput } from '../../support/run-in-process.ts';
import { withSession } from '../upgrade/release-database.ts';

/** The keys of `status --json`, which every failure has as well. */
const requiredKeys = ['state', 'database', 'engine', 'revisions', 'heads', 'pending', 'action', 'problems', 'exitCode'];

/** Runs a command with `--json`, and parses all of standard output. */
async function told(words: readonly string[], env: Readonly<Record<string, string>>) {
  const result: RunOutput = await runInProcess([...words, '--json'], env);
  let object: Record<string, unknown> = {};
  expect(() => void (object = JSON.parse(result.stdout)), `${words.join(' ')}:\n${result.all}`).not.toThrow();
  expect(Array.isArray(object), words.join(' ')).toBe(false);
  expect(object['exitCode'], words.join(' ')).toBe(result.exitCode);
  return { ...result, object };
}

/** The name of the first quarantine of a list. */
function nameIn(quarantines: unknown): string {
  const found: unknown = Array.isArray(quarantines) ? quarantines[0] : null;
  return typeof found === 'object' && found !== null && 'name' in found ? String(found.name) : '';
}

const names = [...commandNames, 'help', 'version'];

describe('--json', () => {
  it('prints the result of every command as one object with its exit code', async () => {
    const { url } = await createSqliteDatabase();
    const folder = await temporaryDirectory();
    const env = {
      DATABASE_URL: url,
      UPLOAD_FOLDER: folder,
      BACKUP_FOLDER: join(folder, 'b'),
      FLASK_ENV: 'development',
    };
    const used = new Set<string>();
    const succeed = async (...words: string[]) => {
      used.add(words[0] ?? '');
      const { exitCode, object, all } = await told(words, env);
      expect(exitCode, `${words.join(' ')}:\n${all}`).toBe(0);
      return object;
    };
    const stampless = () => withSession(url, (session) => session.query('DROP TABLE alembic_version'));

    expect(await succeed('help')).toMatchObject({ text: expect.stringContaining('Usage:') });
    expect(await succeed('help', 'restore')).toMatchObject({ text: expect.stringContaining('--undo') });
    await succeed('help', 'settings');
    const usual = join(import.meta.dirname, '../../fixtures/compose/usual.yml');
    expect(await succeed('compose', usual)).toMatchObject({ application: 'app', database: 'db' });
    expect(await succeed('version')).toMatchObject({
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      heads: [expect.any(String)],
    });
    expect(Object.keys(await succeed('status'))).toEqual(expect.arrayContaining(requiredKeys));
    await succeed('plan');
    await succeed('plan', '--rehearse');
    const gate = await succeed('gate');
    expect(Object.keys(gate)).toEqual(
      expect.arrayContaining([...requiredKeys, 'command', 'steps', 'before', 'backup']),
    );
    expect(gate).toMatchObject({ state: 'current', engine: 'sqlite', action: 'migrate', pending: [], problems: [] });
    expect(gate['revisions']).toEqual(gate['heads']);
    expect(await succeed('gate')).toMatchObject({ state: 'current', action: 'pass', steps: [] });
    await succeed('verify');
    expect(await succeed('seed', '--users', '1', '--time-entries', '3')).toMatchObject({ users: 2 });

    const made = await succeed('backup', 'create');
    const file = String(made['path']);
    const { backups } = await succeed('backup', 'list');
    const { exitCode: _code, ...entry } = made;
    expect(backups).toEqual([entry]);
    const { problem: _problem, ...facts } = entry;
    expect(await succeed('backup', 'verify', file)).toMatchObject(facts);
    expect(await succeed('backup', 'prune', '--keep', '5')).toMatchObject({ removed: [], kept: 1 });
    await succeed('restore', file, '--dry-run');
    expect(await succeed('restore', file, '--yes')).toMatchObject({ steps: [{ kind: 'exchange' }] });
    await succeed('restore', '--undo', '--yes');
    await succeed('restore', '--drop-former', '--yes');

    expect(await succeed('repair', '--dry-run')).toMatchObject({ problems: [], statements: [] });
    await succeed('repair');
    await stampless();
    expect(await succeed('adopt', '--dry-run')).toMatchObject({ adopts: gate['heads'] });
    expect(await succeed('adopt')).toMatchObject({ state: 'current', steps: expect.any(Array) });
    await withSession(url, (session) => session.query('CREATE TABLE mine (n int)'));
    await succeed('quarantine', 'create', '--all', '--yes');
    const { quarantines } = await succeed('quarantine', 'list');
    expect(quarantines).toEqual([expect.objectContaining({ state: 'complete' })]);
    const name = nameIn(quarantines);
    await succeed('quarantine', 'restore', name, '--dry-run');
    await succeed('quarantine', 'restore', name);
    await succeed('quarantine', 'create', '--all', '--yes');
    const again = nameIn((await succeed('quarantine', 'list'))['quarantines']);
    await succeed('quarantine', 'purge', again, '--yes');
    await succeed('gate');
    await succeed('reset', '--yes-delete-all-data', url.slice('sqlite:///'.length));
    expect([...used].toSorted()).toEqual(names.toSorted());
  });

  it('prints the failure of every command as an object with the keys of status', async () => {
    const { url } = await createSqliteDatabase();
    await withSession(url, async (session) => {
      await session.query('CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)');
      await session.query("INSERT INTO alembic_version VALUES ('001')");
    });
    const folder = await temporaryDirectory();
    const env = { DATABASE_URL: url, UPLOAD_FOLDER: folder, FLASK_ENV: 'development' };
    const fails: readonly (readonly [code: number, ...words: string[]])[] = [
      [11, 'gate'],
      [11, 'status'],
      [11, 'plan'],
      [11, 'plan', '--rehearse'],
      [11, 'verify'],
      [32, 'backup', 'verify', 'none.zip'],
      [2, 'backup', 'prune'],
      [2, 'backup', 'list', '--keep', '1'],
      [2, 'backup', 'create', '--output', '-'],
      [32, 'restore', 'none.zip', '--yes'],
      [2, 'restore'],
      [31, 'restore', '--undo', '--yes'],
      [2, 'quarantine', 'restore', 'none'],
      [2, 'quarantine', 'create', '--all'],
      [11, 'adopt'],
      [11, 'repair'],
      [11, 'repair', '--dry-run'],
      [2, 'reset'],
      [11, 'seed'],
      [2, 'help', 'nothing'],
      [2, 'nothing'],
    ];
    for (const [code, ...words] of fails) {
      const { exitCode, object, all } = await told(words, env);
      expect({ words, exitCode }, all).toEqual({ words, exitCode: code });
      expect(Object.keys(object), words.join(' ')).toEqual(expect.arrayContaining(requiredKeys));
      expect(object['problems'], words.join(' ')).toContainEqual({
        kind: expect.any(String),
        object: expect.any(String),
        message: expect.stringMatching(/\S/),
      });
    }
    for (const name of commandNames) {
      const { object } = await told([name, '--nonsense'], env);
      expect(object, name).toMatchObject({ state: null, problems: [{ kind: 'usage' }] });
      await told([name], { ...env, DATABASE_URL: 'nonsense' });
    }
    // a refused gate reports the same state as `plan`
    const [gate, plan] = [await told(['gate'], env), await told(['plan'], env)];
    for (const key of ['state', 'revisions', 'pending', 'action', 'problems', 'exitCode']) {
      expect(gate.object[key], key).toEqual(plan.object[key]);
    }
    await rm(folder, { recursive: true });
  });
});
