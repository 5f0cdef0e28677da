import { randomBytes } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import AdmZip from 'adm-zip';
import { execa } from 'execa';
import { beforeEach, describe, expect, it } from 'vitest';
import { readDirectory } from '../../../src/archive/central-directory.ts';
import { noLimits } from '../../../src/archive/reader.ts';
import { createArchive } from '../../../src/archive/writer.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

let file: string;
beforeEach(async () => {
  file = join(await temporaryDirectory(), 'archive.zip');
});

const from = (chunks: readonly Buffer[]) => (into: NodeJS.WritableStream) => pipeline(Readable.from(chunks), into);

describe('a written archive', () => {
  it('stores the times of its entries, however old', async () => {
    const archive = createArchive(file);
    const changed = [new Date(2026, 10, 23, 19, 45, 40), new Date(-86_400_000_000), new Date(2200, 0, 1)];
    for (const [index, time] of changed.entries()) {
      await archive.add(`uploads/${index}`, true, async (into) => void into.end('x'), time);
    }
    await archive.finish();
    const years = new AdmZip(file).getEntries().map(({ header }) => header.time.getFullYear());
    expect(years).toEqual([2026, 1980, 2107]);
    expect(new AdmZip(file).getEntry('uploads/0')?.header.time).toEqual(changed[0]);
  });

  it('holds many entries, also empty ones', async () => {
    const archive = createArchive(file);
    for (let index = 0; index < 2_000; index++) {
      await archive.add(`uploads/${index}`, index % 2 === 0, async (into) => void into.end(index === 7 ? 'seven' : ''));
    }
    await archive.finish();
    const zip = new AdmZip(file);
    expect(zip.getEntryCount()).toBe(2_000);
    expect(zip.readAsText('uploads/7')).toBe('seven');
    expect(zip.readAsText('uploads/1999')).toBe('');
    expect(zip.test()).toBe(true);
  });

  it('holds more entries than a 16-bit number counts', async () => {
    const archive = createArchive(file);
    const members = 65_600;
    for (let index = 0; index < members; index++) {
      await archive.addBytes(`uploads/ü ${index}`, index % 2 === 0, Buffer.from(String(index)));
    }
    await archive.finish();
    const zip = new AdmZip(file);
    expect(zip.getEntryCount()).toBe(members);
    expect(zip.readAsText('uploads/ü 65599')).toBe('65599');
    const names = [...(await readDirectory(file, noLimits)).names(() => true)];
    expect(names).toHaveLength(members);
    expect(names.at(-1)).toEqual([65_599, 'uploads/ü 65599']);
    const { stdout } = await execa('unzip', ['-tqq', file], { reject: false });
    expect(stdout).toBe('');
  });

  it('overwrites nothing, and reports that to the caller', async () => {
    await writeFile(file, 'there already');
    const archive = createArchive(file);
    const big = Array.from({ length: 40 }, () => randomBytes(100_000));
    await expect(archive.add('x', false, from(big)).then(() => archive.finish())).rejects.toThrow('EEXIST');
    await archive.abandon();
    expect(await readFile(file, 'utf8')).toBe('there already');
  });

  it('can be abandoned in the middle of an entry', async () => {
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
