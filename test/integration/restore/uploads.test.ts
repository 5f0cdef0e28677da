import type { ArchiveEntry } from '../../../src/archive/entry-content.ts';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { execaSync } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import { stageUploads } from '../../../src/restore/uploads/stage.ts';
import { discardUploads, swapUploads } from '../../../src/restore/uploads/swap.ts';
import { atEnd } from '../../support/cleanup.ts';
import { atEveryStep, type KillableModule, killableModule } from '../../support/fault-injection.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import {
  dropFormerUploads,
  findFormerUploads,
  putAsideFormerUploads,
  bringBackFormerUploads,
} from '../../../src/restore/uploads/upload-sets.ts';

const asRoot = process.getuid?.() === 0;
const silent = { signal: new AbortController().signal, onBytes: () => undefined };

type Tree = Readonly<Record<string, string>>;

/** Writes files; a text that begins with → makes a link. */
function lay(folder: string, tree: Tree): void {
  for (const [path, text] of Object.entries(tree)) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    if (text.startsWith('→')) symlinkSync(text.slice(1), file);
    else writeFileSync(file, text);
  }
}

/** All files below a folder with their content, sorted; folders that are empty end in a slash. */
function treeOf(folder: string, prefix = ''): Tree {
  const entries = readdirSync(folder, { encoding: 'latin1' })
    .toSorted()
    .flatMap((name): (readonly [string, string])[] => {
      const path = Buffer.from(join(folder, name), 'latin1');
      const stats = lstatSync(path);
      const label = prefix + Buffer.from(name, 'latin1').toString();
      if (stats.isSymbolicLink()) return [[label, `→${readlinkSync(path)}`]];
      if (!stats.isDirectory()) return [[label, readFileSync(path, 'utf8')]];
      const below = Object.entries(treeOf(path.toString(), `${label}/`));
      return below.length === 0 ? [[`${label}/`, '']] : below;
    });
  return Object.fromEntries(entries);
}

function entry(
  content: string | Error,
  size = content instanceof Error ? 1 : Buffer.byteLength(content),
): ArchiveEntry {
  const pieces = function* () {
    if (content instanceof Error) throw content;
    yield Buffer.from(content);
  };
  return { name: 'any', size, open: async () => Readable.from(pieces()) };
}

/** Settings for a folder of uploads with the backups beside it. */
const keepingIn = (folder: string, backupFolder = `${folder}-backups`) => ({
  backupFolder,
  uploadRoots: [{ name: 'uploads', folder }] as const,
});

const membersOf = (tree: Tree) => Object.entries(tree).map(([path, text]) => ({ path, entry: entry(text) }));
const rootOf = (folder: string) => ({ name: 'uploads', folder }) as const;
const stage = (folder: string, tree: Tree, id = 'new') => stageUploads(rootOf(folder), membersOf(tree), id, silent);

const oldTree: Tree = {
  'logo.png': 'old logo',
  'only old.txt': 'old',
  'receipts/1.pdf': 'old receipt',
  'receipts/2024/ü b.pdf': 'old, unicode',
  'line\nbreak/a': 'old newline',
  link: '→receipts/1.pdf',
  'dangling/link': '→/nowhere',
};
const newTree: Tree = {
  'logo.png': 'new logo',
  'receipts/1.pdf': 'new receipt',
  'receipts/日本 語.pdf': 'new, unicode',
  'line\nbreak/b': 'new newline',
  'link/is/a folder now': 'new',
};
const backups: Tree = { 'backups/one.zip': 'backup', 'backups/.db-init/journal.json': '{}' };
const under = (folder: string, tree: Tree): Tree =>
  Object.fromEntries(Object.entries(tree).map(([path, text]) => [`${folder}/${path}`, text]));
const sorted = (tree: Tree) => Object.entries(tree).toSorted(([one], [other]) => (one < other ? -1 : 1));

describe('staging', () => {
  it('unpacks the new uploads beside the present ones', async () => {
    const folder = await temporaryDirectory();
    lay(folder, oldTree);
    let bytes = 0;
    const options = { ...silent, onBytes: (count: number) => (bytes += count) };
    await stageUploads(rootOf(folder), membersOf(newTree), 'x_1', options);
    expect(sorted(treeOf(folder))).toEqual(sorted({ ...oldTree, ...under('.db-init-incoming-x_1', newTree) }));
    expect(bytes).toBe(Object.values(newTree).join('').length);
    const staged = join(folder, '.db-init-incoming-x_1');
    expect(statSync(join(staged, 'receipts/1.pdf')).mode & 0o777).toBe(0o644);
    expect(statSync(join(staged, 'receipts')).mode & 0o777).toBe(0o755);
    await discardUploads(folder, 'x_1');
    await discardUploads(folder, 'x_1');
    expect(sorted(treeOf(folder))).toEqual(sorted(oldTree));
  });

  it('makes the folder, and starts again after an interrupted attempt', async () => {
    const folder = join(await temporaryDirectory(), 'uploads');
    await stage(folder, { a: 'cut off', b: 'cut off' });
    await stage(folder, { a: 'whole' });
    expect(treeOf(folder)).toEqual({ '.db-init-incoming-new/a': 'whole' });
  });

  it('leaves out files that db-init itself kept when the archive was made', async () => {
    const folder = await temporaryDirectory();
    await stage(folder, { a: 'a', '.db-init-former-1/b': 'b', '.db-init/journal.json': '{}', 'c/.db-init-x': 'c' });
    expect(treeOf(folder)).toEqual({ '.db-init-incoming-new/a': 'a', '.db-init-incoming-new/c/.db-init-x': 'c' });
  });

  it.each(['../outside', 'a/../../outside', '..', 'a/..', '/../outside', 'nul\0'])(
    'refuses the path %j',
    async (path) => {
      const folder = await temporaryDirectory();
      await expect(stage(folder, { fine: 'fine', [path]: 'evil' })).rejects.toMatchObject({
        problem: { kind: 'restore-refused', obstacle: { kind: 'folder' } },
      });
      expect(treeOf(folder)).toEqual({});
      expect(existsSync(join(folder, '../outside'))).toBe(false);
    },
  );

  it.each([
    ['twice the same path', ['a', 'a']],
    ['a file that is a folder', ['a', 'a/b']],
  ])('refuses %s', async (_, paths) => {
    const folder = await temporaryDirectory();
    const members = paths.map((path) => ({ path, entry: entry('x') }));
    await expect(stageUploads(rootOf(folder), members, 'new', silent)).rejects.toMatchObject({
      problem: { obstacle: { kind: 'folder' } },
    });
    expect(treeOf(folder)).toEqual({});
  });

  it('checks the free space first', async () => {
    const folder = await temporaryDirectory();
    const members = [{ path: 'a', entry: entry('a', 1e18) }];
    await expect(stageUploads(rootOf(folder), members, 'new', silent)).rejects.toMatchObject({
      problem: { obstacle: { kind: 'no-space', folder, free: expect.any(Number) } },
    });
    expect(treeOf(folder)).toEqual({});
  });

  it('leaves nothing of a damaged archive', async () => {
    const folder = await temporaryDirectory();
    const damage = new Error('the member is damaged');
    const members = [...membersOf(newTree), { path: 'z', entry: entry(damage) }];
    await expect(stageUploads(rootOf(folder), members, 'new', silent)).rejects.toBe(damage);
    expect(treeOf(folder)).toEqual({});
  });

  it('stops at a signal', async () => {
    const folder = await temporaryDirectory();
    const stop = new AbortController();
    const options = { signal: stop.signal, onBytes: () => stop.abort() };
    await expect(stageUploads(rootOf(folder), membersOf(newTree), 'new', options)).rejects.toThrow('abort');
    expect(treeOf(folder)).toEqual({});
  });

  it.each(['missing/uploads', 'file'])('names the folder that it cannot use: %s', async (path) => {
    const folder = await temporaryDirectory();
    writeFileSync(join(folder, 'file'), '');
    await expect(stage(join(folder, path), newTree)).rejects.toMatchObject({
      problem: { kind: 'restore-refused', obstacle: { kind: 'folder', folder: join(folder, path) } },
    });
  });
});

it('a journal with an id that leads to another folder is refused', async () => {
  const folder = await temporaryDirectory();
  await expect(dropFormerUploads(folder, '../x', keepingIn(folder))).rejects.toThrow(RangeError);
});

describe('a swap', () => {
  const keeping = async (): Promise<{ folder: string; keep: readonly string[] }> => {
    const folder = await temporaryDirectory();
    lay(folder, { ...oldTree, ...backups, 'deep/down/kept/x': 'kept', 'deep/down/y': 'old y', 'deep/z': 'old z' });
    lay(folder, { 'tt.db': 'database', 'tt.db-wal': 'log', 'tt.db.db-init-lock': '' });
    const keep = ['backups', 'deep/down/kept', 'tt.db'].map((path) => join(folder, path));
    await stage(folder, {
      ...newTree,
      'backups/evil.zip': 'x',
      'deep/down/y': 'new y',
      'deep/new': 'n',
      'tt.db': 'evil',
    });
    return { folder, keep };
  };
  const kept: Tree = {
    ...backups,
    'deep/down/kept/x': 'kept',
    'tt.db': 'database',
    'tt.db-wal': 'log',
    'tt.db.db-init-lock': '',
  };
  const former: Tree = {
    ...oldTree,
    'deep/down/y': 'old y',
    'deep/z': 'old z',
    // files that would have replaced kept files
    'backups/evil.zip': 'x',
    'tt.db': 'evil',
  };
  const swapped: Tree = {
    ...newTree,
    ...kept,
    'deep/down/y': 'new y',
    'deep/new': 'n',
    ...under('.db-init-former-old', former),
  };

  let process: KillableModule;
  beforeAll(async () => {
    process = await killableModule('src/restore/uploads/swap.ts');
  });

  it('keeps the present files, leaves protected files, and is undone by a second swap', async () => {
    const { folder, keep } = await keeping();
    const before = treeOf(folder);
    const swap = { folder, incoming: 'new', outgoing: 'old' };
    await swapUploads(swap, keep);
    expect(sorted(treeOf(folder))).toEqual(sorted(swapped));
    await swapUploads(swap, keep);
    expect(sorted(treeOf(folder))).toEqual(sorted(swapped));

    await bringBackFormerUploads(folder, 'old', 'undo', keepingIn(folder));
    await bringBackFormerUploads(folder, 'old', 'undo', keepingIn(folder));
    await swapUploads({ folder, incoming: 'undo', outgoing: 'undone' }, keep);
    await bringBackFormerUploads(folder, 'old', 'undo', keepingIn(folder));
    const after = Object.entries(treeOf(folder)).filter(([path]) => !path.startsWith('.db-init-former-undone/'));
    expect(after).toEqual(Object.entries(before).filter(([path]) => !path.startsWith('.db-init-incoming-new/')));
    await dropFormerUploads(folder, 'undone', keepingIn(folder));
    await dropFormerUploads(folder, 'undone', keepingIn(folder));
    expect(Object.entries(treeOf(folder))).toEqual(after);
  });

  it('is completed after a kill at any step', async () => {
    let { folder, keep } = await keeping();
    const whole = allContents(treeOf(folder));
    const swap = () => ({ folder, incoming: 'new', outgoing: 'old' });
    const steps = await atEveryStep(
      (death) => process('swapUploads', [swap(), keep], death),
      async () => {
        expect(allContents(treeOf(folder))).toEqual(whole);
        await swapUploads(swap(), keep);
        expect(sorted(treeOf(folder))).toEqual(sorted(swapped));
        ({ folder, keep } = await keeping());
      },
    );
    expect(steps).toBeGreaterThan(20);
  });

  it('is completed by processes that are all killed after a step or two', async () => {
    const { folder, keep } = await keeping();
    const whole = allContents(treeOf(folder));
    while (!(await process('swapUploads', [{ folder, incoming: 'new', outgoing: 'old' }, keep], 3))) {
      expect(allContents(treeOf(folder))).toEqual(whole);
    }
    expect(sorted(treeOf(folder))).toEqual(sorted(swapped));
  });

  it('is not disturbed by files that the application adds meanwhile', async () => {
    let { folder, keep } = await keeping();
    const swap = () => ({ folder, incoming: 'new', outgoing: 'old' });
    for (let death = 1; ; death += 3) {
      const survived = await process('swapUploads', [swap(), keep], death);
      if (survived) break;
      // one under a moved name, one under a new name, one in the place of a new folder
      const added = { 'only old.txt': 'added 1', 'receipts/日本 語.pdf': 'added 2', 'link/is': 'added 3' };
      const free = Object.entries(added).filter(([path]) => isFree(folder, path));
      lay(folder, Object.fromEntries(free));
      const whole = allContents(treeOf(folder));
      await swapUploads(swap(), keep);
      const after = treeOf(folder);
      expect(allContents(after)).toEqual(whole);
      expect(after).toMatchObject({ ...newTree, ...kept });
      expect(Object.keys(after).some((path) => path.startsWith('.db-init-incoming'))).toBe(false);
      ({ folder, keep } = await keeping());
    }
  });

  it('can also be undone if the folder was empty', async () => {
    const folder = join(await temporaryDirectory(), 'uploads');
    await stage(folder, newTree);
    await swapUploads({ folder, incoming: 'new', outgoing: 'old' }, []);
    await bringBackFormerUploads(folder, 'old', 'undo', keepingIn(folder));
    await swapUploads({ folder, incoming: 'undo', outgoing: 'undone' }, []);
    expect(sorted(treeOf(folder))).toEqual(sorted(under('.db-init-former-undone', newTree)));
  });

  it('keeps files that are named through a link, and archives in the folder itself', async () => {
    const folder = await temporaryDirectory();
    const links = await temporaryDirectory();
    lay(folder, { ...backups, 'timetracker_backup_20260101_000000.zip': 'archive', old: 'old' });
    symlinkSync(folder, join(links, 'data'));
    await stage(folder, { new: 'new' });
    await swapUploads({ folder, incoming: 'new', outgoing: 'old' }, [join(links, 'data/backups'), folder]);
    expect(sorted(treeOf(folder))).toEqual(
      sorted({
        ...backups,
        'timetracker_backup_20260101_000000.zip': 'archive',
        new: 'new',
        '.db-init-former-old/old': 'old',
      }),
    );
  });

  it('moves names that are not UTF-8', async () => {
    const folder = await temporaryDirectory();
    const odd = Buffer.from([0xe4, 0x2e, 0xff]);
    const path = (parent: string) => Buffer.concat([Buffer.from(`${parent}/`), odd]);
    writeFileSync(path(folder), 'old');
    await stage(folder, { new: 'new' });
    await swapUploads({ folder, incoming: 'new', outgoing: 'old' }, []);
    expect(readFileSync(path(join(folder, '.db-init-former-old')), 'utf8')).toBe('old');
    expect(readdirSync(folder).toSorted()).toEqual(['.db-init-former-old', 'new']);
  });
});

/** Shared memory is another file system than the tests' folder almost everywhere. */
const elsewhere = existsSync('/dev/shm') && asRoot;

describe.runIf(elsewhere)('a folder with another file system mounted in it', () => {
  it('is swapped by copying', async (context) => {
    const folder = await temporaryDirectory();
    const mounted = mkdtempSync('/dev/shm/db-init-test-');
    atEnd(async () => rmSync(mounted, { recursive: true }));
    mkdirSync(join(folder, 'logos'));
    const { failed } = execaSync('mount', ['--bind', mounted, join(folder, 'logos')], { reject: false });
    if (failed) return context.skip('mounting is not allowed here');
    try {
      const old = { 'logos/a.png': 'old a', 'logos/sub/link': '→a.png' };
      const fresh = { 'logos/a.png': 'new a' };
      const swap = { folder, incoming: 'new', outgoing: 'old' };
      const process = await killableModule('src/restore/uploads/swap.ts');
      const recreate = async (): Promise<void> => {
        for (const path of [folder, mounted].flatMap((parent) =>
          readdirSync(parent).map((name) => join(parent, name)),
        )) {
          if (path !== join(folder, 'logos')) rmSync(path, { recursive: true });
        }
        lay(folder, old);
        chmodSync(join(folder, 'logos/a.png'), 0o640);
        await stage(folder, fresh);
      };
      await recreate();
      await atEveryStep(
        (death) => process('swapUploads', [swap, []], death),
        async () => {
          await swapUploads(swap, []);
          expect(sorted(treeOf(folder))).toEqual(sorted({ ...fresh, ...under('.db-init-former-old', old) }));
          await recreate();
        },
      );
      await swapUploads(swap, []);
      expect(statSync(join(folder, '.db-init-former-old/logos/a.png')).mode & 0o777).toBe(0o640);
    } finally {
      execaSync('umount', [join(folder, 'logos')]);
    }
  });
});

/** Every file with its content, in all folders. */
const allContents = (tree: Tree): readonly string[] =>
  Object.entries(tree)
    .filter(([path]) => !path.endsWith('/'))
    .map(([, text]) => text)
    .toSorted();

/** Whether the application could write there. */
function isFree(folder: string, path: string): boolean {
  if (existsSync(join(folder, path))) return false;
  const parent = dirname(path);
  if (parent === '.') return true;
  return statSync(join(folder, parent), { throwIfNoEntry: false })?.isDirectory() ?? isFree(folder, parent);
}

describe('former uploads', () => {
  const sharedMemory = statSync('/dev/shm', { throwIfNoEntry: false });
  const places: [string, (folder: string) => Promise<string>, boolean][] = [
    ['leave the folder that is handed out for the backup folder', async (folder) => `${folder}-backups`, true],
    [
      'stay in their folder, closed, where the backups are handed out as well',
      async (folder) => join(folder, 'b'),
      false,
    ],
    [
      'stay in their folder, closed, where the backups lie on another volume',
      async () => mkdtempSync('/dev/shm/db-init-test-'),
      false,
    ],
  ];

  it.each(places)('%s', async (_, backupsOf, outside) => {
    const folder = join(await temporaryDirectory(), 'uploads');
    const kept = await backupsOf(folder);
    atEnd(async () => rmSync(kept, { recursive: true, force: true }));
    if (kept.startsWith('/dev/shm') && sharedMemory?.dev === statSync(dirname(folder)).dev) return;
    const config = keepingIn(folder, kept);
    lay(folder, { 'logo.png': 'old' });
    await stage(folder, { 'logo.png': 'new' });
    await swapUploads({ folder, incoming: 'new', outgoing: 'old' }, []);
    // it may have been interrupted, and is repeated
    await putAsideFormerUploads(folder, 'old', config);
    await putAsideFormerUploads(folder, 'old', config);
    const place = (await findFormerUploads(folder, 'old', config)) ?? '';
    expect(place.startsWith(outside ? kept : folder)).toBe(true);
    expect(existsSync(join(folder, '.db-init-former-old'))).toBe(false);
    expect(statSync(dirname(place)).mode & 0o777).toBe(0o700);
    // processes of the same user may enter a folder with mode 0700
    expect(statSync(place).mode & 0o777).toBe(outside ? 0o700 : 0);

    await bringBackFormerUploads(folder, 'old', 'undo', config);
    await swapUploads({ folder, incoming: 'undo', outgoing: 'undone' }, []);
    expect(readFileSync(join(folder, 'logo.png'), 'utf8')).toBe('old');
    await putAsideFormerUploads(folder, 'undone', config);
    await dropFormerUploads(folder, 'undone', config);
    await dropFormerUploads(folder, 'undone', config);
    expect(treeOf(folder)).toEqual({ 'logo.png': 'old' });
    expect(await findFormerUploads(folder, 'undone', config)).toBeNull();
  });
});
