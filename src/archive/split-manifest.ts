import type { Readable } from 'node:stream';
import { type ListedEntry, parseListedEntry } from './manifest.ts';

/** The most bytes of a manifest without its list of entries, and of the text for one entry. */
const longest = 16 * 1024 * 1024;
const longestEntryText = 64 * 1024;

export class LongManifestError extends Error {}

/**
 * Reads a manifest.json whose list of entries may not fit into memory.
 * @param onEntry called with each entry in `db_init.members`; null for one that cannot be parsed
 * @returns the text with an empty list of entries
 * @throws LongManifestError
 */
export async function splitManifest(
  content: Readable,
  onEntry: (name: string, entry: ListedEntry | null) => void,
): Promise<string> {
  const rest: Buffer[] = [];
  let length = 0;
  const keep = (bytes: Buffer): void => {
    length += bytes.length;
    if (length > longest) throw new LongManifestError();
    rest.push(Buffer.from(bytes));
  };
  const pieces: AsyncIterable<Buffer> = content;
  const scanner = scanEntryList(keep, onEntry);
  for await (const bytes of pieces) scanner(bytes);
  return new TextDecoder().decode(Buffer.concat(rest));
}

/** The line of `renderListedEntry` for a name without escapes. */
const ownLine = /^ *"([^"\\\p{Cc}]+)": \{ "size": (\d{1,15}), "sha256": "([\da-f]{64})" \},$/u;

/**
 * Reads the lines that db-init writes: there may be hundreds of thousands, and JSON.parse takes ten times as long.
 * @param from where a line ends @returns where the last line ends that was read; `from` if the next one is another
 */
function readOwnLines(chunk: Buffer, from: number, onEntry: (name: string, entry: ListedEntry | null) => void): number {
  let at = from;
  for (;;) {
    if (chunk[at] !== lineFeed) return at;
    const end = chunk.indexOf(lineFeed, at + 1);
    const [, name, size, sha256] = (end < 0 ? null : ownLine.exec(chunk.toString('utf8', at + 1, end))) ?? [];
    if (name === undefined || sha256 === undefined) return at;
    onEntry(name, { size: Number(size), sha256 });
    at = end;
  }
}

/** @param text `"uploads/a": { "size": 1, "sha256": "…" }` */
function parseListText(text: string): readonly [name: string, entry: ListedEntry | null] {
  try {
    const value: unknown = JSON.parse(`{${text}}`);
    const [entry, another] = typeof value === 'object' && value !== null ? Object.entries(value) : [];
    return entry === undefined || another !== undefined ? ['', null] : [entry[0], parseListedEntry(entry[1])];
  } catch {
    return ['', null];
  }
}

const [quote, backslash, comma, colon, lineFeed] = [0x22, 0x5c, 0x2c, 0x3a, 0x0a];
const [opens, closes] = [new Set([0x7b, 0x5b]), new Set([0x7d, 0x5d])];
const openBrace = 0x7b;
/** The depth of the list of entries: inside `db_init`, inside the manifest. */
const depthOfEntryList = 3;

/**
 * Scans a JSON text byte by byte. It does not validate: invalid JSON outside of the list goes to `keep`, inside the
 * list into a piece.
 * @param keep receives everything outside of the list, and the braces of the list
 * @param onEntry receives each entry of the list; null for one that cannot be parsed
 */
function scanEntryList(
  keep: (bytes: Buffer) => void,
  onEntry: (name: string, entry: ListedEntry | null) => void,
): (chunk: Buffer) => void {
  let depth = 0;
  let inText = false;
  let escaped = false;
  /** The last string, and the keys that lead to the current position, as they are written. */
  let text: number[] = [];
  let before: string | null = null;
  const keys: (string | null)[] = [];
  const list = openPieces(keep, onEntry);

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
        if (depth < depthOfEntryList && text.length < 32) text.push(byte);
      } else if (byte === quote) {
        inText = true;
        text = [];
      } else if (byte === colon) {
        keys[depth] = before;
      } else if (opens.has(byte)) {
        depth++;
        keys[depth] = null;
        const isList =
          depth === depthOfEntryList && byte === openBrace && keys[1] === 'db_init' && keys[2] === 'members';
        if (!list.isOpen() && isList) {
          list.add(chunk.subarray(from, at + 1));
          from = at + 1;
          list.open();
        }
      } else if (closes.has(byte)) {
        if (list.isOpen() && depth === depthOfEntryList) {
          list.add(chunk.subarray(from, at));
          from = at;
          list.close();
        }
        depth--;
      } else if (byte === comma && list.isOpen() && depth === depthOfEntryList) {
        list.add(chunk.subarray(from, at));
        list.endPiece();
        at = readOwnLines(chunk, at + 1, onEntry) - 1;
        from = at + 1;
      }
    }
    list.add(chunk.subarray(from));
  };
}

/** The pieces between the commas of the list. Bytes outside of the list go to `keep`. */
interface Pieces {
  readonly isOpen: () => boolean;
  readonly open: () => void;
  readonly add: (bytes: Buffer) => void;
  readonly endPiece: () => void;
  /** Ends the last piece; an empty list has none. */
  readonly close: () => void;
}

function openPieces(keep: (bytes: Buffer) => void, onEntry: (name: string, entry: ListedEntry | null) => void): Pieces {
  /** The parts of the current piece; null outside of the list. */
  let parts: Buffer[] | null = null;
  let length = 0;
  let ended = 0;
  const take = (): string => {
    const text = Buffer.concat(parts ?? []).toString();
    parts = [];
    length = 0;
    ended++;
    return text;
  };
  return {
    isOpen: () => parts !== null,
    open() {
      parts = [];
      length = 0;
      ended = 0;
    },
    add(bytes) {
      if (parts === null) return keep(bytes);
      length += bytes.length;
      if (length > longestEntryText) throw new LongManifestError();
      parts.push(Buffer.from(bytes));
    },
    endPiece: () => onEntry(...parseListText(take())),
    close() {
      const text = take();
      if (ended > 1 || text.trim() !== '') onEntry(...parseListText(text));
      parts = null;
    },
  };
}
