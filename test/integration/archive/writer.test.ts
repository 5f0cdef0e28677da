import { randomBytes } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import AdmZip from 'adm-zip';
import { beforeEach, describe, expect, it } from 'vitest';
import { createArchive } from '../../../src/archive/writer.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

let file: string;
beforeEach(async () => {
  file = join(await temporaryDirectory(), 'archive.zip');
});

const from = (chunks: readonly Buffer[]) => (into: NodeJS.WritableStream) => pipeline(Readable.from(chunks), into);

describe('an archive that is written', () => {
  it('never packs so well that it looks as if it were made to fill a disk', async () => {
    const zeros = Array.from({ length: 100 }, () => Buffer.alloc(100_000));
    const noise = Array.from({ length: 20 }, () => randomBytes(100_000));
    const text = Array.from({ length: 20 }, (_, index) => Buffer.from(`line ${index}\n`.repeat(10_000)));
    const content = [...text, ...zeros, ...noise, ...zeros, ...text];
    const archive = createArchive(file);
    await archive.add('zeros', true, from(zeros));
    await archive.add('mixed', true, from(content));
    await archive.finish();
    const zip = new AdmZip(file);
    expect(zip.readFile('zeros')?.equals(Buffer.concat(zeros))).toBe(true);
    expect(zip.readFile('mixed')?.equals(Buffer.concat(content))).toBe(true);
    for (const { header } of zip.getEntries()) {
      expect(header.size / header.compressedSize).toBeLessThan(150);
      expect(header.compressedSize).toBeLessThan(header.size);
    }
  });

  it('holds empty members, and more members than 16 bits can count', async () => {
    const archive = createArchive(file);
    for (let index = 0; index < 66_000; index++) {
      await archive.add(`uploads/${index}`, false, async (into) => void into.end(index === 7 ? 'seven' : ''));
    }
    await archive.finish();
    const zip = new AdmZip(file);
    expect(zip.getEntryCount()).toBe(66_000);
    expect(zip.readAsText('uploads/7')).toBe('seven');
    expect(zip.readAsText('uploads/65999')).toBe('');
  });

  it('overwrites nothing, and says so to whoever writes', async () => {
    await writeFile(file, 'there already');
    const archive = createArchive(file);
    const big = Array.from({ length: 40 }, () => randomBytes(100_000));
    await expect(archive.add('x', false, from(big)).then(() => archive.finish())).rejects.toThrow('EEXIST');
    await archive.abandon();
    expect(await readFile(file, 'utf8')).toBe('there already');
  });

  it('can be abandoned in the midst of a member', async () => {
    const archive = createArchive(file);
    const broken = async function* () {
      yield randomBytes(1000);
      throw new Error('the source failed');
    };
    await expect(archive.add('x', true, (into) => pipeline(broken(), into))).rejects.toThrow('the source failed');
    await archive.abandon();
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });
});
