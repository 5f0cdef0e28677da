import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import AdmZip from 'adm-zip';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { manifestName, parseManifest, renderManifest } from '../../../src/archive/manifest.ts';
import { rejectionReason } from '../../../src/report/archive-reasons.ts';
import { renderVerified } from '../../../src/report/backup-list.ts';
import { verifyBackup } from '../../../src/backup/verify.ts';
import { toolsFor } from '../../support/postgres-installations.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const archives = join(import.meta.dirname, '../../fixtures/archives');
const config = { archiveLimits: { entries: 1000, bytes: 1_000_000_000, ratio: 200 } };
const { signal } = new AbortController();
const tools = await toolsFor(15);

let folder: string;
beforeAll(async () => {
  folder = await temporaryDirectory();
  vi.stubEnv('TMPDIR', await temporaryDirectory());
});
afterAll(() => void vi.unstubAllEnvs());

/** Intact archives with another database entry. @returns the reason of the rejection; null if accepted */
async function faultWith(archive: string, member: string, change: (content: Buffer) => Buffer): Promise<string | null> {
  const zip = new AdmZip(join(archives, archive));
  zip.updateFile(member, change(zip.readFile(member) ?? Buffer.alloc(0)));
  const copy = join(folder, archive);
  await writeFile(copy, zip.toBuffer());
  return verifyBackup(copy, { config, signal }).then(() => null, rejectionReason);
}

/** The end of a journal over several databases: it names a file, which SQLite deletes once it has gone through that journal. */
function journalNaming(path: string): Buffer {
  const name = Buffer.from(path);
  const numbers = Buffer.alloc(8);
  numbers.writeUInt32BE(name.length, 0);
  numbers.writeUInt32BE(
    name.reduce((sum, byte) => sum + byte, 0),
    4,
  );
  return Buffer.concat([name, numbers, journalMagic]);
}
function journalHeader(length: number): Buffer {
  const header = Buffer.alloc(length);
  journalMagic.copy(header);
  header.writeUInt32BE(4096, 24);
  return header;
}
const journalMagic = Buffer.from('d9d505f920a163d7', 'hex');

describe('a bare SQLite file with a journal that makes SQLite delete another file', () => {
  it.each([
    ['without a header', (end: Buffer) => end],
    ['with a short header', (end: Buffer) => Buffer.concat([journalHeader(28), end])],
    ['with a whole header', (end: Buffer) => Buffer.concat([journalHeader(512), end])],
  ])('is rejected (%s), and that file stays', async (_title, journal) => {
    const file = join(folder, 'bare.db');
    await writeFile(file, new AdmZip(join(archives, 'sqlite-v5.10.0-patched.zip')).readFile('db.sqlite') ?? '');
    const target = `/tmp/${randomBytes(3).toString('hex')}`;
    await writeFile(target, 'my only backup');
    try {
      await writeFile(`${file}-journal`, journal(journalNaming(target)));
      const reason = await verifyBackup(file, { config, signal }).then(() => null, rejectionReason);
      expect(existsSync(target)).toBe(true);
      expect(reason).toContain('does not belong to');
    } finally {
      await rm(target, { force: true });
      await rm(`${file}-journal`, { force: true });
    }
  });
});

describe('a bare SQLite file', () => {
  const bytes = new AdmZip(join(archives, 'sqlite-v5.10.0-patched.zip')).readFile('db.sqlite') ?? Buffer.alloc(0);

  it('has no known maker and date', async () => {
    const file = join(folder, 'bare.db');
    await writeFile(file, bytes);
    const found = await verifyBackup(file, { config, signal });
    expect(found).toMatchObject({ isBare: true, created: null });
    expect(renderVerified(found)).toContain('made:      not known: it is no archive\n');
  });

  it('is rejected if another one follows in it: SQLite reads only the first', async () => {
    const file = join(folder, 'joined.db');
    await writeFile(file, Buffer.concat([bytes, bytes]));
    const reason = await verifyBackup(file, { config, signal }).then(() => null, rejectionReason);
    expect(reason).toContain('another SQLite database follows in it');
  });
});

describe('an SQLite archive', () => {
  const name = 'sqlite-v5.10.0-patched.zip';

  it('is verified without a database and leaves nothing behind', async () => {
    const heard: (readonly [number, number])[] = [];
    const onBytes = (done: number, total: number): void => void heard.push([done, total]);
    expect(await verifyBackup(join(archives, name), { config, signal, onBytes })).toEqual({
      file: join(archives, name),
      isBare: false,
      engine: 'sqlite',
      objects: [],
      size: expect.any(Number),
      kind: null,
      created: '2026-11-22T15:36:39',
      server: null,
      database: null,
      version: null,
      revisions: ['171_merge_kanban_feature_heads'],
      rows: null,
      entries: 10,
      uploads: 7,
      bytes: 3_273_821,
    });
    expect(heard.at(-1)).toEqual([3_273_821, 3_273_821]);
    expect(await readdir(process.env['TMPDIR'] ?? '')).toEqual([]);
  });

  it.each([
    ['cut off', (content: Buffer) => content.subarray(0, 1_000_000)],
    ['truncated', (content: Buffer) => content.subarray(0, 100)],
    ['overwritten', (content: Buffer) => content.fill(0xe4, 40_000, 400_000)],
  ])('is rejected although the ZIP is intact: its database is %s', async (_title, change) => {
    expect(await faultWith(name, 'db.sqlite', change)).toMatch(/^its db\.sqlite cannot be restored: /);
    expect(await readdir(process.env['TMPDIR'] ?? '')).toEqual([]);
  });
});

describe.skipIf(tools === null)('a PostgreSQL archive (pg_restore is needed)', () => {
  it.each([
    ['pg-v5.0.0-pgdump15.zip', '140_client_portal_dashboard_prefs'],
    ['pg-v5.10.0-pgdump15.zip', '171_merge_kanban_feature_heads'],
  ])('is verified without a database: %s', async (name, revision) => {
    expect(await verifyBackup(join(archives, name), { config, signal })).toMatchObject({
      engine: 'postgresql',
      revisions: [revision],
      server: expect.stringMatching(/^PostgreSQL 15\.\d+$/),
      uploads: 7,
    });
  });

  it.each([
    ['cut off', (content: Buffer) => content.subarray(0, -2000), /^its db\.dump cannot be restored: pg_restore: error/],
    ['truncated', (content: Buffer) => content.subarray(0, 40), /^its db\.dump: its header is cut off/],
    ['overwritten', (content: Buffer) => content.fill(0xe4, 200_000), /^its db\.dump cannot be restored: /],
  ])('is rejected although the ZIP is intact: its dump is %s', async (_title, change, reason) => {
    expect(await faultWith('pg-v5.10.0-pgdump15.zip', 'db.dump', change)).toMatch(reason);
  });

  it('is rejected if no pg_restore can read it, with both versions', async () => {
    const newer = (content: Buffer): Buffer => {
      // the minor of the format; from 1.15 on the compression has one byte instead of five
      content[6] = 99;
      const header = Buffer.concat([content.subarray(0, 12), content.subarray(16)]).toString('latin1');
      return Buffer.from(header.replaceAll(/15\.\d\d/g, '99.10'), 'latin1');
    };
    expect(await faultWith('pg-v5.10.0-pgdump15.zip', 'db.dump', newer)).toMatch(
      /made by pg_dump 99\.10 .*, which pg_restore 99 and newer read, and the newest pg_restore here is \d\d/,
    );
  });
});

describe('an archive of db-init', () => {
  it('is shown with its rows, versions and objects', async () => {
    const zip = new AdmZip(join(archives, 'sqlite-v5.10.0-patched.zip'));
    const manifest = {
      engine: 'sqlite',
      kind: 'manual',
      createdAt: new Date(2026, 10, 22),
      version: '0.1.0',
      database: '/data/timetracker.db',
      server: 'SQLite 3.50.1',
      tool: 'SQLite 3.50.1',
      revisions: ['one', 'two'],
      rows: { users: 3, tasks: 4 },
      entries: membersOf(zip),
      uploads: ['uploads'],
    } as const;
    zip.updateFile(manifestName, Buffer.from(renderManifest(manifest)));
    const copy = join(folder, 'ours.zip');
    await writeFile(copy, zip.toBuffer());
    expect(parseManifest(new AdmZip(await readFile(copy)).readAsText(manifestName))).toEqual(manifest);
    const { entries: _entries, tool: _tool, createdAt, uploads: _uploads, ...told } = manifest;
    expect(await verifyBackup(copy, { config, signal })).toMatchObject({ ...told, created: createdAt, rows: 7 });
  });
});

function membersOf(zip: AdmZip): Record<string, { size: number; sha256: string }> {
  const entries = zip.getEntries().filter(({ entryName }) => entryName !== manifestName);
  return Object.fromEntries(
    entries.map((entry) => {
      const content = entry.getData();
      return [entry.entryName, { size: content.length, sha256: createHash('sha256').update(content).digest('hex') }];
    }),
  );
}
