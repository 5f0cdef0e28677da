import { copyFile, cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { archivesIn, execute, fill } from '../integration/backup/backups.ts';
import { createSqliteDatabase, sqliteUrl } from '../support/database.ts';
import { requireTrueSafeSentence } from '../support/safe-sentence.ts';
import { snapshot } from '../support/snapshot.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { chanceOf, mutateJson } from './fuzz.ts';
import { bugPattern, runInProcess } from '../support/run-in-process.ts';

const id = '20300101_000000';

/** A folder that holds everything of an installation: a database, the one from before a restore, uploads, backups. */
let original: string;
let contents: { readonly live: string; readonly former: string };
let kept: string;
beforeAll(async () => {
  original = await temporaryDirectory();
  await mkdir(join(original, 'uploads'));
  await writeFile(join(original, 'uploads/photo.jpg'), 'a photo');
  const env = environmentOf(original);
  const database = { ...(await createSqliteDatabase()), name: join(original, 'x.db'), url: env.DATABASE_URL };
  const must = async (...args: readonly string[]): Promise<void> => {
    const { exitCode, all } = await runInProcess(args, env);
    if (exitCode !== 0) throw new Error(all);
  };
  await fill(database);
  await must('gate');
  await must('backup', 'create');
  await execute(database, "UPDATE users SET full_name = 'of the former database'");
  const former = await snapshot(database.url);
  await must('restore', join(original, 'backups', (await archivesIn(join(original, 'backups'))).at(-1) ?? ''), '--yes');
  contents = { live: await snapshot(database.url), former };
  kept = (await readdir(original)).find((name) => name.startsWith('x.db.bak_')) ?? 'none';
});

function environmentOf(folder: string) {
  return {
    DATABASE_URL: sqliteUrl(join(folder, 'x.db')),
    UPLOAD_FOLDER: join(folder, 'uploads'),
    BACKUP_FOLDER: join(folder, 'backups'),
  };
}

/** The state after a restore that was killed before the swap. */
const journalOf = (folder: string): Record<string, unknown> => ({
  format: 1,
  id,
  action: 'restore',
  way: 'files',
  database: join(folder, 'x.db'),
  archive: { path: join(folder, 'backups/a.zip'), size: 1, modified: 2, sha256: null },
  startedAt: '2030-01-01T00:00:00.000Z',
  holder: 'host x, pid 1',
  phase: 'preparing',
  places: {
    live: join(folder, 'x.db'),
    incoming: join(folder, `x.db.restore_${id}`),
    outgoing: join(folder, `x.db.bak_${id}`),
  },
  uploads: [{ folder: join(folder, 'uploads'), former: null }],
});

type Memory = 'restore.json' | 'restores.json' | 'stamp.json';
const commands = [
  ['status'],
  ['gate'],
  ['backup', 'list'],
  ['restore', '--undo', '--yes'],
  ['restore', '--drop-former', '--yes'],
] as const;

/**
 * Runs a command on a copy of the installation with one changed file of the state folder.
 * @param spoil returns the new text for the present one
 * @returns the fault in the result; null if there is none
 */
async function tryOut(
  memory: Memory,
  spoil: (text: string, folder: string) => string | Buffer,
  args: readonly string[],
): Promise<unknown> {
  const folder = await temporaryDirectory();
  await cp(original, folder, { recursive: true });
  const file = join(folder, 'backups/.db-init', memory);
  const text = memory === 'restore.json' ? JSON.stringify(journalOf(folder)) : await readFile(file, 'utf8');
  const own = text.replaceAll(original, folder);
  // an object of the owner's with a name of db-init's
  const strangers = [`y_${id}`, `x.db_${id}`, `uploads/.db-init-former-x/y`, `uploads/y_${id}`];
  await mkdir(join(folder, 'uploads/.db-init-former-x'));
  for (const name of strangers) await copyFile(join(folder, kept), join(folder, name));
  const spoilt = spoil(own, folder);
  await writeFile(file, spoilt);
  const { exitCode, all } = await runInProcess(args, environmentOf(folder));

  const databases = await Promise.all(
    (await readdir(folder))
      .filter((name) => /^x\.db(?:\.bak_\d+_\d+)?$/.test(name))
      .map((name) => snapshot(sqliteUrl(join(folder, name)))),
  );
  const live = await snapshot(sqliteUrl(join(folder, 'x.db')));
  requireTrueSafeSentence(all, live !== contents.live);
  const undone = args.includes('--undo') && exitCode === 0;
  const dropped = args.includes('--drop-former') && exitCode === 0;
  const left = await readdir(folder, { recursive: true });
  const fine =
    exitCode !== 1 &&
    !bugPattern.test(all) &&
    live === (undone ? contents.former : contents.live) &&
    (dropped || databases.includes(contents.former)) &&
    // an undo moves everything among the uploads
    strangers.every((name) => left.some((other) => other === name || (undone && basename(other) === basename(name)))) &&
    left.some((name) => name.endsWith('photo.jpg'));
  return fine
    ? null
    : [args, exitCode, String(spoilt), all.slice(-1500), left.filter((name) => !name.startsWith('backups'))];
}

it.each<Memory>(['restore.json', 'restores.json', 'stamp.json'])(
  'a mutated %s never causes an unexpected failure, and loses nothing',
  async (memory) => {
    const chance = chanceOf(memory);
    const failures: unknown[] = [];
    for (let number = 0; number < 25; number++) {
      const spoil = (text: string): string | Buffer =>
        chance.below(3) === 0 ? chance.mutate(Buffer.from(text)) : JSON.stringify(mutateJson(JSON.parse(text), chance));
      const failure = await tryOut(memory, spoil, chance.pick(commands));
      if (failure !== null) failures.push(failure);
    }
    expect(failures).toEqual([]);
  },
);

/** Changes a journal, or the last recorded restore. */
const changing =
  (change: (folder: string, it: Record<string, unknown>) => Record<string, unknown>) =>
  (text: string, folder: string): string => {
    const value: unknown = JSON.parse(text);
    if (!isRecord(value)) throw new Error('no object');
    const { restores } = value;
    if (!Array.isArray(restores)) return JSON.stringify({ ...value, ...change(folder, value) });
    const done: unknown[] = restores;
    return JSON.stringify({
      ...value,
      restores: done.map((item) => (isRecord(item) ? { ...item, ...change(folder, item) } : item)),
    });
  };

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

it.each<[string, Memory, (folder: string, it: Record<string, unknown>) => Record<string, unknown>]>([
  [
    'a stranger as what comes',
    'restore.json',
    (folder) => ({
      places: {
        live: join(folder, 'x.db'),
        incoming: join(folder, `y_${id}`),
        outgoing: join(folder, `x.db.bak_${id}`),
      },
    }),
  ],
  [
    'a stranger as what goes',
    'restore.json',
    (folder) => ({
      phase: 'swapping',
      places: {
        live: join(folder, 'x.db'),
        incoming: join(folder, `x.db.restore_${id}`),
        outgoing: join(folder, `y_${id}`),
      },
    }),
  ],
  [
    'a stranger as what is live',
    'restore.json',
    (folder) => ({
      phase: 'swapping',
      places: {
        live: join(folder, `y_${id}`),
        incoming: join(folder, `x.db.restore_${id}`),
        outgoing: join(folder, `x.db_${id}`),
      },
    }),
  ],
  [
    'the live database as what comes',
    'restore.json',
    (folder) => ({
      id: 'db',
      places: { live: join(folder, 'x.db'), incoming: join(folder, 'x_db'), outgoing: join(folder, 'x_db') },
    }),
  ],
  [
    'another folder of uploads',
    'restore.json',
    (folder) => ({
      id: 'x',
      phase: 'finishing',
      action: 'undo',
      uploads: [{ folder: join(folder, 'uploads'), former: '../../x' }],
    }),
  ],
  ['a stranger as what is kept', 'restores.json', (folder) => ({ id, kept: join(folder, `y_${id}`) })],
  ['a name without an id as what is kept', 'restores.json', (folder) => ({ id: '', kept: join(folder, 'x.db_') })],
  ['a stranger beside it as what is kept', 'restores.json', (folder) => ({ id, kept: join(folder, `x.db_${id}`) })],
  [
    'an id that is a path',
    'restores.json',
    (folder, { kept: name }) => ({ id: '../x', kept: `${String(name)}_../x`, uploads: [join(folder, 'uploads')] }),
  ],
])('%s is not trusted (%s)', async (_, memory, change) => {
  const failures: unknown[] = [];
  for (const args of commands) {
    const failure = await tryOut(memory, changing(change), args);
    if (failure !== null) failures.push(failure);
  }
  expect(failures).toEqual([]);
});
