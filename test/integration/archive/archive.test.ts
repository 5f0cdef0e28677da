import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import AdmZip from 'adm-zip';
import { beforeAll, describe, expect, it } from 'vitest';
import { ZipFile } from 'yazl';
import { manifestMember, renderManifest } from '../../../src/archive/manifest.ts';
import { proveArchive, readManifest } from '../../../src/archive/proof.ts';
import { readArchive } from '../../../src/archive/reader.ts';
import { createArchive } from '../../../src/archive/writer.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const content = randomBytes(300_000);
const text = 'läßt sich lesen\n'.repeat(1000);

const drain = async (_name: string, member: Readable): Promise<void> => void member.resume();

/** An archive with one member that is stored, one that is deflated and the manifest. */
async function write(file: string): Promise<void> {
  const archive = createArchive(file);
  const { member } = await archive.add('db.dump', false, (into) => pipeline(Readable.from([content]), into));
  const settings = await archive.addText('settings.json', text);
  const manifest = renderManifest({
    engine: 'postgresql',
    kind: 'manual',
    createdAt: new Date(),
    version: '0',
    database: 'd',
    server: 's',
    tool: 't',
    revisions: [],
    rows: {},
    members: { 'db.dump': member, 'settings.json': settings },
    uploads: 'not included',
  });
  await archive.addText(manifestMember, manifest);
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
  it('opens with another implementation of ZIP', () => {
    const zip = new AdmZip(file);
    expect(zip.getEntries().map(({ entryName }) => entryName)).toEqual(['db.dump', 'settings.json', 'manifest.json']);
    expect(zip.readFile('db.dump')?.equals(content)).toBe(true);
    expect(zip.readAsText('settings.json')).toBe(text);
  });

  it('is only for its owner to read', async () => {
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('is proven member by member', async () => {
    const proven: string[] = [];
    const manifest = await proveArchive(file, async (name, member) => {
      proven.push(name);
      member.resume();
    });
    expect(proven).toEqual(['db.dump', 'settings.json']);
    expect(manifest.members['db.dump']).toEqual({
      size: content.length,
      sha256: createHash('sha256').update(content).digest('hex'),
    });
  });

  it('is not overwritten', async () => {
    const again = createArchive(file);
    await expect(again.addText('a', 'b').then(() => again.finish())).rejects.toThrow(/EEXIST/);
    expect(await readManifest(file)).not.toBeNull();
  });

  it('fails when its file does, instead of waiting for ever', async () => {
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

  it('is known by a single byte of a member', async () => {
    const copy = await broken((bytes) => {
      bytes[1000] = (bytes[1000] ?? 0) ^ 1;
      return bytes;
    });
    await expect(proveArchive(copy, drain)).rejects.toThrow('db.dump is damaged');
  });

  it('is known wherever it is cut off', async () => {
    const { length } = await readFile(file);
    for (const end of [0, 10, 1000, length - 300, length - 30, length - 1]) {
      const copy = await broken((bytes) => bytes.subarray(0, end));
      await expect(proveArchive(copy, drain), `cut at ${end}`).rejects.toThrow(/no ZIP archive|damaged|missing|early/);
      expect(await readManifest(copy)).toBeNull();
    }
  });

  it('is known by a member that is missing', async () => {
    const copy = await broken((bytes) => bytes);
    const zip = new AdmZip(copy);
    zip.deleteFile('settings.json');
    zip.writeZip(copy);
    await expect(proveArchive(copy, drain)).rejects.toThrow('settings.json is missing');
  });
});

describe('archives of others', () => {
  it('are read with ZIP64 and with empty members', async () => {
    const zip = new ZipFile();
    zip.addBuffer(Buffer.from(text), 'a.txt', { forceZip64Format: true });
    zip.addBuffer(Buffer.alloc(0), 'empty', { compress: false });
    zip.end({ forceZip64Format: true, comment: 'as large as it gets' });
    const copy = join(folder, 'zip64.zip');
    await pipeline(zip.outputStream, createWriteStream(copy));
    const entries = await readArchive(copy);
    expect(entries.map(({ name, size }) => [name, size])).toEqual([
      ['a.txt', Buffer.byteLength(text)],
      ['empty', 0],
    ]);
    const contents = await Promise.all(entries.map(async (entry) => buffer(await entry.open())));
    expect(contents.map(String)).toEqual([text, '']);
  });

  it('have no manifest of ours', async () => {
    const copy = join(folder, 'application.zip');
    const zip = new AdmZip();
    zip.addFile('manifest.json', Buffer.from('{"db_type":"sqlite","alembic_revision":null}'));
    zip.writeZip(copy);
    expect(await readManifest(copy)).toBeNull();
  });
});
