/** An entry in the table of contents of a dump in PostgreSQL's custom format, with the texts that pg_restore runs. */
export interface EditableEntry {
  readonly description: string;
  readonly tag: string;
  /** The statement that makes the object. */
  definition: string | null;
  /** The COPY of a table's rows. */
  copyStatement: string | null;
}

/**
 * Opens a dump to change the texts of its entries, as PostgreSQL's ReadToc reads them
 * (src/bin/pg_dump/pg_backup_archiver.c; archive formats 1.14 to 1.16).
 */
export function editDump(dump: Buffer): { readonly entries: readonly EditableEntry[]; save(): Buffer } {
  const version = dump.readUInt8(6);
  const integerSize = dump.readUInt8(8);
  const offsetSize = dump.readUInt8(9);
  let position = 11;

  const integer = (): number => {
    const sign = dump.readUInt8(position) === 0 ? 1 : -1;
    const value = dump.readUIntLE(position + 1, Math.min(integerSize, 6));
    position += 1 + integerSize;
    return sign * value;
  };
  const text = (): string | null => {
    const length = integer();
    if (length < 0) return null;
    position += length;
    return dump.toString('latin1', position - length, position);
  };

  if (version >= 15) position += 1;
  else integer();
  for (let part = 0; part < 7; part++) integer();
  for (let name = 0; name < 3; name++) text();
  const countAt = position;
  const count = integer();
  /** The parts of the table of contents: unchanged bytes, or a text that may have been changed. */
  const pieces: (() => Buffer)[] = [];
  const keep = (from: number): void => {
    const bytes = dump.subarray(from, position);
    pieces.push(() => bytes);
  };
  let moved = (): number => 0;

  const writeText = (value: string | null): Buffer => {
    const size = Buffer.alloc(1 + integerSize);
    if (value === null) {
      size.writeUInt8(1, 0);
      size.writeUInt8(1, 1);
      return size;
    }
    size.writeUIntLE(value.length, 1, Math.min(integerSize, 6));
    return Buffer.concat([size, Buffer.from(value, 'latin1')]);
  };

  const entries = Array.from({ length: count }, (): EditableEntry => {
    let from = position;
    integer();
    integer();
    text();
    text();
    const tag = text() ?? '';
    const description = text() ?? '';
    integer();
    keep(from);
    const entry: EditableEntry = { description, tag, definition: text(), copyStatement: null };
    pieces.push(() => writeText(entry.definition));
    from = position;
    text();
    keep(from);
    entry.copyStatement = text();
    pieces.push(() => writeText(entry.copyStatement));
    from = position;
    text();
    text();
    text();
    if (version >= 16) integer();
    text();
    text();
    while (text() !== null);
    // the offset of its data, which comes after the table of contents, whose length may change
    const state = dump.readUInt8(position);
    position += 1;
    keep(from);
    const offset = dump.readUIntLE(position, Math.min(offsetSize, 6));
    position += offsetSize;
    pieces.push(() => {
      const bytes = Buffer.alloc(offsetSize);
      bytes.writeUIntLE(state === 2 ? offset + moved() : offset, 0, Math.min(offsetSize, 6));
      return bytes;
    });
    return entry;
  });

  const [head, tail] = [dump.subarray(0, position), dump.subarray(position)];
  const start = countAt + 1 + integerSize;
  return {
    entries,
    save() {
      const render = (): Buffer => Buffer.concat([head.subarray(0, start), ...pieces.map((piece) => piece())]);
      const length = render().length;
      moved = () => length - head.length;
      return Buffer.concat([render(), tail]);
    },
  };
}
