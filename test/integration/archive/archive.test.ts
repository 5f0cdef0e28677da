import { createHash, randomBytes } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import AdmZip from 'adm-zip';
import { beforeAll, describe, expect, it } from 'vitest';
import { manifestName, type ListedEntry, renderManifest } from '../../../src/archive/manifest.ts';
import { verifyEntries } from '../../../src/archive/verify-contents.ts';
import { noLimits, openArchive, readManifest } from '../../../src/archive/reader.ts';
import { rejectionReason } from '../../../src/report/archive-reasons.ts';
import { createArchive } from '../../../src/archive/writer.ts';
import { Failure } from '../../../src/errors/failure.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { manifestFacts } from './zip.ts';

const content = Buffer.concat([Buffer.from('PGDMP'), randomBytes(300_000)]);
const text = 'läßt sich lesen\n'.repeat(1000);

const { signal } = new AbortController();

/** Reads an archive to its end. @returns why it is rejected; null if it is whole */
async function faultIn(file: string): Promise<string | null> {
  try {
    await verifyEntries(await openArchive(file, noLimits), { verifyDatabase: async () => undefined, signal });
    return null;
  } catch (error) {
    return error instanceof Failure && error.problem.kind === 'archive-rejected' ? rejectionReason(error) : 'a defect';
  }
}

/** An archive with a stored entry, a deflated entry, optional uploads, and the manifest. */
async function write(file: string, uploads: readonly string[] = []): Promise<void> {
  const archive = createArchive(file);
  const { listed: entry } = await archive.add('db.dump', false, (into) => pipeline(Readable.from([content]), into));
  const settings = await archive.addText('settings.json', text);
  const members: Record<string, ListedEntry> = { 'db.dump': entry, 'settings.json': settings };
  for (const name of uploads) members[name] = await archive.addText(name, name);
  const manifest = renderManifest({ ...manifestFacts, entries: members });
  await archive.addText(manifestName, manifest);
  await archive.finish();
}

let folder: string;
let file: string;
beforeAll(async () => {
  folder = await temporaryDirectory();
  file = join(folder, 'archive.zip');
  await write(file);
});

describe('an archive', () => {
  it('can be opened with another implementation of ZIP', () => {
    const zip = new AdmZip(file);
    expect(zip.getEntries().map(({ entryName }) => entryName)).toEqual(['db.dump', 'settings.json', 'manifest.json']);
    expect(zip.readFile('db.dump')?.equals(content)).toBe(true);
    expect(zip.readAsText('settings.json')).toBe(text);
  });

  it('can be read only by its owner', async () => {
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('is verified entry by entry', async () => {
    const archive = await openArchive(file, noLimits);
    const heard: number[] = [];
    const proven: Buffer[] = [];
    const verifyDatabase = async (member: Readable): Promise<void> => void proven.push(await buffer(member));
    await verifyEntries(archive, { verifyDatabase, onBytes: (bytes) => heard.push(bytes), signal });
    expect(Buffer.concat(proven).equals(content)).toBe(true);
    expect(heard.reduce((sum, bytes) => sum + bytes, 0)).toBe(archive.size);
    expect(archive.manifest?.entries['db.dump']).toEqual({
      size: content.length,
      sha256: createHash('sha256').update(content).digest('hex'),
    });
  });

  it('fails the verification if its database cannot be restored, without waiting', async () => {
    const archive = await openArchive(file, noLimits);
    const verifyDatabase = async (): Promise<void> => Promise.reject(new Error('nonsense'));
    await expect(verifyEntries(archive, { verifyDatabase, signal }).catch(rejectionReason)).resolves.toBe(
      'its db.dump cannot be restored: nonsense',
    );
  });

  it('is no longer read when the run is cancelled', async () => {
    const archive = await openArchive(file, noLimits);
    const cancelled = new AbortController();
    const options = {
      verifyDatabase: async () => undefined,
      onBytes: () => cancelled.abort(),
      signal: cancelled.signal,
    };
    await expect(verifyEntries(archive, options)).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('holds files whose names differ only in upper and lower case', async () => {
    const other = join(folder, 'capitals.zip');
    await write(other, ['uploads/Logo.png', 'uploads/logo.png']);
    const { uploads } = await openArchive(other, noLimits);
    expect([...uploads].map(({ path }) => path)).toEqual(['Logo.png', 'logo.png']);
    expect(await faultIn(other)).toBeNull();
  });

  it('is not overwritten', async () => {
    const again = createArchive(file);
    await expect(again.addText('a', 'b').then(() => again.finish())).rejects.toThrow(/EEXIST/);
    expect(await readManifest(file)).not.toBeNull();
  });

  it('fails if writing its file fails, instead of waiting for ever', async () => {
    const nowhere = createArchive(join(folder, 'missing', 'archive.zip'));
    const endless = Readable.from(
      (function* () {
        for (;;) yield content;
      })(),
    );
    await expect(nowhere.add('db.dump', false, (into) => pipeline(endless, into))).rejects.toThrow(/ENOENT/);
  });
});

describe('a damaged archive', () => {
  const broken = async (damage: (bytes: Buffer) => Buffer): Promise<string> => {
    const copy = join(folder, `${randomBytes(4).toString('hex')}.zip`);
    await writeFile(copy, damage(await readFile(file)));
    return copy;
  };

  it('is recognised by a single changed byte of an entry', async () => {
    const copy = await broken((bytes) => {
      bytes[1000] = (bytes[1000] ?? 0) ^ 1;
      return bytes;
    });
    expect(await faultIn(copy)).toMatch(/“db\.dump” is damaged: its checksum/);
  });

  it('is recognised if it is cut off at any byte', async () => {
    const bytes = await readFile(file);
    for (const end of [0, 10, 1000, bytes.length - 300, bytes.length - 30, bytes.length - 1]) {
      const copy = await broken(() => bytes.subarray(0, end));
      expect(await faultIn(copy), `cut at ${end}`).toMatch(/empty|no ZIP archive|damaged/);
      expect(await readManifest(copy)).toBeNull();
    }
  });

  it('is recognised by a missing entry', async () => {
    const copy = await broken((bytes) => bytes);
    const zip = new AdmZip(copy);
    zip.deleteFile('settings.json');
    zip.writeZip(copy);
    expect(await faultIn(copy)).toMatch(/lists an entry that is missing: “settings\.json”/);
  });
});

describe('an archive of the application', () => {
  const archives = join(import.meta.dirname, '../../fixtures/archives');
  const real = [
    ['pg-v5.0.0-pgdump15.zip', 'postgresql', '140_client_portal_dashboard_prefs', '2026-11-22T15:36:42'],
    ['pg-v5.10.0-pgdump15.zip', 'postgresql', '171_merge_kanban_feature_heads', '2026-11-22T15:36:32'],
    ['sqlite-v5.10.0-patched.zip', 'sqlite', '171_merge_kanban_feature_heads', '2026-11-22T15:36:39'],
  ] as const;
  const limits = { entries: 1000, bytes: 1_000_000_000, ratio: 200 };

  it.each(real)('is read unchanged: %s', async (name, engine, revision, createdAt) => {
    const archive = await openArchive(join(archives, name), limits);
    expect(archive).toMatchObject({ engine, revisions: [revision], createdAt, manifest: null });
    expect([...archive.uploads].map(({ root, path }) => `${root}: ${path}`)).toEqual([
      'uploads: Rechnung März 2025 – größe "final" 日本.txt',
      'uploads: empty.bin',
      'uploads: binary.dat',
      'uploads: project attachments/12/nested/deep/notes & more.md',
      'uploads: logos/company_logo_ab12.png',
      'uploads: logos/.gitkeep',
      'uploads: avatars/1.png',
    ]);
    const other = new AdmZip(join(archives, name));
    for (const { name: member, open } of archive.entries) {
      expect((await buffer(await open())).equals(other.readFile(member) ?? Buffer.from('missing'))).toBe(true);
    }
    expect(await faultIn(join(archives, name))).toBeNull();
    expect(await readManifest(join(archives, name))).toBeNull();
  });

  it.each(real)('is recognised as damaged if it is cut off at any byte: %s', async (name) => {
    const bytes = await readFile(join(archives, name));
    const copy = join(folder, name);
    const accepted: number[] = [];
    for (let end = bytes.length - 1; end > 0; end -= 1024) {
      await writeFile(copy, bytes.subarray(0, end));
      if ((await faultIn(copy)) === null) accepted.push(end);
    }
    expect(accepted).toEqual([]);
  });
});
