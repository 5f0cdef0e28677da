import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import { type ArchiveEntry, readArchive } from './reader.ts';
import { type Manifest, manifestMember, parseManifest } from './manifest.ts';

/** A manifest names each member and each table; ours have some ten kilobytes. */
const longestManifest = 16 * 1024 * 1024;

/**
 * Reads an archive back and compares every member with what its manifest says.
 * @param proveDatabase reads the content of the database member to its end, and throws if it cannot be restored
 * @throws Error that names the member
 */
export async function proveArchive(
  file: string,
  proveDatabase: (name: string, content: Readable) => Promise<void>,
): Promise<Manifest> {
  const entries = await readArchive(file);
  const manifest = await manifestOf(entries);
  if (manifest === null) throw new Error(`${manifestMember} is missing or damaged`);
  for (const [name, promised] of Object.entries(manifest.members)) {
    const entry = entries.find((candidate) => candidate.name === name);
    if (entry === undefined) throw new Error(`${name} is missing`);
    const found = await hashOf(entry, (content) => proveDatabase(name, content));
    if (found.size !== promised.size || found.sha256 !== promised.sha256) throw new Error(`${name} is damaged`);
  }
  return manifest;
}

/** The manifest of an archive; null if it is not one of db-init, or no archive at all. */
export async function readManifest(file: string): Promise<Manifest | null> {
  try {
    return await manifestOf(await readArchive(file));
  } catch {
    return null;
  }
}

async function manifestOf(entries: readonly ArchiveEntry[]): Promise<Manifest | null> {
  const entry = entries.find(({ name }) => name === manifestMember);
  if (entry === undefined || entry.size > longestManifest) return null;
  return parseManifest(await text(await entry.open()));
}

async function hashOf(
  entry: ArchiveEntry,
  use: (content: Readable) => Promise<void>,
): Promise<{ size: number; sha256: string }> {
  const hash = createHash('sha256');
  let size = 0;
  const content = new PassThrough();
  content.on('data', (chunk: Buffer) => {
    hash.update(chunk);
    size += chunk.length;
  });
  await Promise.all([pipeline(await entry.open(), content), use(content)]);
  return { size, sha256: hash.digest('hex') };
}
