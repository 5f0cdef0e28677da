import type { Readable } from 'node:stream';
import { type Member, readMember } from './manifest.ts';

/** The most bytes of a manifest without its list of entries, and of the text for one entry. */
const longest = 16 * 1024 * 1024;
const longestMember = 64 * 1024;

/** The manifest is too long to be read. */
export class LongManifestError extends Error {}

/**
 * Reads a manifest.json whose list of entries may not fit into memory.
 * @param onMember called with each entry in `db_init.members`; null for one that cannot be parsed
 * @returns the text with an empty list of entries
 * @throws LongManifestError
 */
export async function splitManifest(
  content: Readable,
  onMember: (name: string, member: Member | null) => void,
): Promise<string> {
  const rest: Buffer[] = [];
  let length = 0;
  const keep = (bytes: Buffer): void => {
    length += bytes.length;
    if (length > longest) throw new LongManifestError();
    rest.push(Buffer.from(bytes));
  };
  const pieces: AsyncIterable<Buffer> = content;
  const scanner = scanMembers(keep, (text) => {
    const [name, value] = parseMember(text);
    onMember(name, value);
  });
  for await (const bytes of pieces) scanner(bytes);
  return new TextDecoder().decode(Buffer.concat(rest));
}

/** @param text `"uploads/a": { "size": 1, "sha256": "…" }` */
function parseMember(text: string): readonly [name: string, member: Member | null] {
  try {
    const value: unknown = JSON.parse(`{${text}}`);
    const [entry, another] = typeof value === 'object' && value !== null ? Object.entries(value) : [];
    return entry === undefined || another !== undefined ? ['', null] : [entry[0], readMember(entry[1])];
  } catch {
    return ['', null];
  }
}

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];
const [opens, closes] = [new Set([0x7b, 0x5b]), new Set([0x7d, 0x5d])];
const openBrace = 0x7b;
/** The depth of the list of entries: inside `db_init`, inside the manifest. */
const depthOfMembers = 3;

/**
 * Scans a JSON text byte by byte. It does not validate: invalid JSON outside of the list goes to `keep`, inside the
 * list into a piece.
 * @param keep receives everything outside of the list, and the braces of the list
 * @param onPiece receives each text between the commas of the list
 */
function scanMembers(keep: (bytes: Buffer) => void, onPiece: (text: string) => void): (chunk: Buffer) => void {
  let depth = 0;
  let inText = false;
  let escaped = false;
  /** The last string, and the keys that lead to the current position, as they are written. */
  let text: number[] = [];
  let before: string | null = null;
  const keys: (string | null)[] = [];
  /** The current piece of the list; null outside of it. */
  let piece: Buffer[] | null = null;
  let pieceLength = 0;
  let isFirst = true;

  const add = (bytes: Buffer): void => {
    if (piece === null) return keep(bytes);
    pieceLength += bytes.length;
    if (pieceLength > longestMember) throw new LongManifestError();
    piece.push(Buffer.from(bytes));
  };
  const endPiece = (isLast: boolean): void => {
    const content = Buffer.concat(piece ?? []).toString();
    // an empty list has no piece
    if (!(isLast && isFirst && content.trim() === '')) onPiece(content);
    isFirst = false;
    piece = [];
    pieceLength = 0;
  };

  return (chunk) => {
    let from = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (inText) {
        if (escaped) escaped = false;
        else if (byte === backslash) escaped = true;
        else if (byte === quote) {
          inText = false;
          before = Buffer.from(text).toString();
          continue;
        }
        // only short keys matter
        if (depth < depthOfMembers && text.length < 32) text.push(byte);
      } else if (byte === quote) {
        inText = true;
        text = [];
      } else if (byte === colon) {
        keys[depth] = before;
      } else if (opens.has(byte)) {
        depth++;
        keys[depth] = null;
        const isList = depth === depthOfMembers && byte === openBrace && keys[1] === 'db_init' && keys[2] === 'members';
        if (piece === null && isList) {
          add(chunk.subarray(from, at + 1));
          from = at + 1;
          piece = [];
          pieceLength = 0;
          isFirst = true;
        }
      } else if (closes.has(byte)) {
        if (piece !== null && depth === depthOfMembers) {
          add(chunk.subarray(from, at));
          from = at;
          endPiece(true);
          piece = null;
        }
        depth--;
      } else if (byte === comma && piece !== null && depth === depthOfMembers) {
        add(chunk.subarray(from, at));
        from = at + 1;
        endPiece(false);
      }
    }
    add(chunk.subarray(from));
  };
}
