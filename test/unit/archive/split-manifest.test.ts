import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { type ListedEntry, renderListedEntry, renderManifest } from '../../../src/archive/manifest.ts';
import { LongManifestError, splitManifest } from '../../../src/archive/split-manifest.ts';

const member = { size: 5, sha256: 'a'.repeat(64) };
const members = { 'db.dump': member, 'uploads/{"members": {,': { ...member, size: 7 }, 'uploads/\\"}': member };
const manifest = renderManifest({
  engine: 'postgresql',
  kind: 'manual',
  createdAt: new Date(0),
  version: '1',
  database: '"members": { "x": 1 }, }',
  server: 's',
  tool: 't',
  revisions: ['{', '"'],
  rows: { 'a"members': 1 },
  entries: members,
  uploads: ['uploads'],
});

async function split(text: string, pieceLength = text.length) {
  const bytes = Buffer.from(text);
  const pieces = Array.from({ length: Math.ceil(bytes.length / pieceLength) }, (_, index) =>
    bytes.subarray(index * pieceLength, (index + 1) * pieceLength),
  );
  const found: (readonly [string, ListedEntry | null])[] = [];
  const rest = await splitManifest(Readable.from(pieces), (name, value) => found.push([name, value]));
  return { rest, found };
}

/** The same with an empty list of members, as JSON has it. */
function withoutMembers(text: string): unknown {
  return JSON.parse(text, (key, value: unknown) => (key === 'members' ? {} : value));
}

describe('the list of entries in a manifest', () => {
  it.each([1, 2, 3, 7, 64, 100_000])(
    'is split off while the manifest is read in pieces of %i bytes',
    async (length) => {
      const { rest, found } = await split(manifest, length);
      expect(Object.fromEntries(found)).toEqual(members);
      expect(JSON.parse(rest)).toEqual(withoutMembers(manifest));
    },
  );

  it.each([1, 50, 100, 200, 100_000])(
    'may have lines as db-init writes them, in pieces of %i bytes',
    async (length) => {
      const names = ['a', 'b/c', 'ä', '{"x": 1},', '\\', '\u007f', 'a', ' ', '\u2028', 'z'];
      const lines = names.map((name, size) => renderListedEntry(`uploads/${name}`, { ...member, size })).join('');
      const text = `{"db_init": {"members": {\n"first": ${JSON.stringify(member)},\n${lines}      "last": ${JSON.stringify(member)}\n}}}`;
      const { rest, found } = await split(text, length);
      expect(found).toEqual([
        ['first', member],
        ...names.map((name, size) => [`uploads/${name}`, { ...member, size }]),
        ['last', member],
      ]);
      expect(JSON.parse(rest)).toEqual(withoutMembers(text));
    },
  );

  it('may be empty', async () => {
    const text = '{"db_init": {"members": { } }}';
    expect(await split(text)).toEqual({ rest: '{"db_init": {"members": {} }}', found: [] });
  });

  it('is left alone if it is in another part of the manifest', async () => {
    for (const text of [
      '{"members": {"a": 1}}',
      '{"db_init": [{"members": {"a": 1}}]}',
      '{"x": {"members": {"a": 1}}}',
    ]) {
      expect(await split(text)).toEqual({ rest: text, found: [] });
    }
  });

  it.each([
    ['a comma too many', '"a": {"size": 1, "sha256": "x"},'],
    ['a comma that is missing', '"a": {"size": 1, "sha256": "x"} "b": {"size": 1, "sha256": "x"}'],
    ['a value that is no member', '"a": 1'],
    ['a size that is a text', '"a": {"size": "1", "sha256": "x"}'],
    ['no name', '{}'],
    ['brackets that do not fit', '"a": {"size": 1, "sha256": "x"]'],
  ])('is refused with %s', async (_, list) => {
    const { rest, found } = await split(`{"db_init": {"members": {${list}}}}`);
    const isBroken = found.some(([, value]) => value === null);
    expect(isBroken || !isJson(rest)).toBe(true);
  });

  it('is refused if one entry, or the rest of the manifest, does not fit into memory', async () => {
    const name = 'x'.repeat(100_000);
    await expect(split(`{"db_init": {"members": {"${name}": 1}}}`)).rejects.toThrow(LongManifestError);
    await expect(split(`{"a": "${'x'.repeat(17_000_000)}"}`)).rejects.toThrow(LongManifestError);
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
