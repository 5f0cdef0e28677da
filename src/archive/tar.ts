interface TarEntry {
  readonly name: string;
  /** The content, if the entry is no longer than a line. */
  readonly line: string | null;
}

const block = 512;
const longestLine = 128;
/** The most names and bytes that are read: enough to recognise a data directory. */
const most = { names: 20_000, bytes: 256 * 1024 * 1024 };

/**
 * Whether a file begins with the header of a tar entry, also in the old format without the magic `ustar` (POSIX.1,
 * "pax").
 */
export function isTar(head: Buffer): boolean {
  if (head.length < block || head[0] === 0) return false;
  const sum = head.subarray(0, block).reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  return numberIn(head, 148, 8) === sum;
}

/** Lists the entries of a tar archive, as far as it can be read. Unpacks nothing. */
export async function listTar(source: AsyncIterable<Buffer>): Promise<readonly TarEntry[]> {
  const entries: TarEntry[] = [];
  const reader = openReader(source);
  let longName: string | null = null;
  for (;;) {
    const header = await reader.read(block);
    if (header === null || !isTar(header) || entries.length >= most.names) return entries;
    const size = numberIn(header, 124, 12);
    const type = String.fromCharCode(header[156] ?? 0);
    const padded = Math.ceil(size / block) * block;
    // a long name is in a separate entry, before the entry that has this name (GNU: L, POSIX: x)
    if ('Lx'.includes(type) && padded <= 64 * block) {
      const text = ((await reader.read(padded)) ?? Buffer.alloc(0)).toString('utf8', 0, size);
      longName = type === 'L' ? text.replace(/\0.*/s, '') : (/^\d+ path=(.*)$/m.exec(text)?.[1] ?? longName);
      continue;
    }
    const name = longName ?? nameIn(header);
    longName = null;
    const line = size > 0 && size <= longestLine ? await reader.read(padded) : null;
    if (line === null && !(await reader.skip(padded))) return [...entries, { name, line }];
    if (type !== 'g') entries.push({ name, line: line && line.toString('utf8', 0, size) });
  }
}

function nameIn(header: Buffer): string {
  const [name, prefix] = [textIn(header, 0, 100), textIn(header, 257, 5) === 'ustar' ? textIn(header, 345, 155) : ''];
  return prefix === '' || header.toString('latin1', 257, 265) === 'ustar  \0' ? name : `${prefix}/${name}`;
}

function textIn(header: Buffer, at: number, length: number): string {
  return header.toString('utf8', at, at + length).replace(/\0.*/s, '');
}

/** Reads a number in octal digits. GNU tar writes larger numbers in binary. */
function numberIn(header: Buffer, at: number, length: number): number {
  const field = header.subarray(at, at + length);
  if (((field[0] ?? 0) & 0x80) !== 0) return field.subarray(1).reduce((value, byte) => value * 256 + byte, 0);
  const digits = /^[ \0]*([0-7]+)/.exec(field.toString('latin1'))?.[1];
  return digits === undefined ? 0 : Number.parseInt(digits, 8);
}

interface Reader {
  /** @returns null if the source ends before */
  readonly read: (length: number) => Promise<Buffer | null>;
  /** @returns false if the source ends before */
  readonly skip: (length: number) => Promise<boolean>;
}

function openReader(source: AsyncIterable<Buffer>): Reader {
  const chunks = source[Symbol.asyncIterator]();
  let held: Buffer = Buffer.alloc(0);
  let taken = 0;
  const more = async (): Promise<boolean> => {
    if (taken > most.bytes) return false;
    const next = await chunks.next();
    if (next.done === true) return false;
    taken += next.value.length;
    held = held.length === 0 ? next.value : Buffer.concat([held, next.value]);
    return true;
  };
  return {
    async read(length) {
      while (held.length < length) if (!(await more())) return null;
      const bytes = held.subarray(0, length);
      held = held.subarray(length);
      return bytes;
    },
    async skip(length) {
      let left = length;
      for (;;) {
        const here = Math.min(left, held.length);
        held = held.subarray(here);
        left -= here;
        if (left === 0) return true;
        if (!(await more())) return false;
      }
    },
  };
}
