import { describe, expect, it } from 'vitest';
import { reasonOfHeader } from '../../../../src/report/dump-reasons.ts';
import { type DumpHeader, oldestReader, parseDumpHeader } from '../../../../src/database/postgres/dump/header.ts';

interface Parts {
  readonly minor?: number;
  readonly major?: number;
  readonly integers?: number;
  readonly format?: number;
  readonly database?: string;
  readonly pgDump?: string;
}

/** A header as pg_dump writes it. */
function header({ major = 1, minor = 14, integers = 4, format = 1, database = 'db', pgDump = '15.3' }: Parts): Buffer {
  const integer = (value: number): number[] => {
    const bytes = Array.from({ length: integers }, (_, index) => Math.floor(Math.abs(value) / 256 ** index) % 256);
    return [value < 0 ? 1 : 0, ...bytes];
  };
  const text = (value: string): number[] => [...integer(Buffer.byteLength(value)), ...Buffer.from(value)];
  return Buffer.from([
    ...Buffer.from('PGDMP'),
    major,
    minor,
    0,
    integers,
    8,
    format,
    ...(minor >= 15 ? [1] : integer(-1)),
    ...[34, 0, 32, 19, 0, 23, 0].flatMap(integer),
    ...[database, '15.3 (Debian 15.3-1)', pgDump].flatMap(text),
  ]);
}

const parsed = (bytes: Uint8Array): DumpHeader => {
  const result = parseDumpHeader(bytes);
  if (result.kind === 'damaged') throw new Error(result.defect.kind);
  return result.header;
};
const reasonFor = (bytes: Uint8Array): string | null => {
  const result = parseDumpHeader(bytes);
  return result.kind === 'damaged' ? reasonOfHeader(result.defect) : null;
};

describe('the header of a dump', () => {
  it.each([14, 15, 16])('of format 1.%i contains the versions of server and pg_dump', (minor) => {
    expect(parsed(header({ minor, pgDump: '17.2 (Debian 17.2-1.pgdg120+1)' }))).toEqual({
      format: [1, minor],
      database: 'db',
      server: '15.3 (Debian 15.3-1)',
      pgDump: '17.2',
    });
  });

  it.each([
    [{ pgDump: '18beta1' }, { pgDump: '18beta1' }],
    [{ database: 'größe 日本' }, { database: 'größe 日本' }],
    [{ database: '' }, { database: '' }],
    [{ integers: 8 }, { database: 'db' }],
  ])('is read with %o', (parts, expected) => {
    expect(parsed(header(parts))).toMatchObject(expected);
  });

  it('may be followed by any bytes', () => {
    expect(parsed(Buffer.concat([header({}), Buffer.alloc(5000, 255)]))).toEqual(parsed(header({})));
  });

  it.each([14, 16])('of format 1.%i is damaged if it is cut off at any byte', (minor) => {
    const whole = header({ minor });
    const reasons = Array.from(whole, (_, length) => reasonFor(whole.subarray(0, length)));
    expect(new Set(reasons)).toEqual(new Set(['its header is cut off']));
  });

  it('is either read or reported as damaged after a change of any byte', () => {
    const whole = header({ minor: 16 });
    for (const index of whole.keys()) {
      for (const value of [0, 1, 127, 255]) {
        const changed = Buffer.from(whole);
        changed[index] = value;
        expect(parseDumpHeader(changed).kind).toMatch(/^(?:header|damaged)$/);
      }
    }
  });

  it.each([
    ['nothing', Buffer.alloc(0), 'its header is cut off'],
    ['SQL', Buffer.from('--\n-- PostgreSQL database dump\n--\n'), "it is not a dump in PostgreSQL's custom format"],
    ['a directory or tar member', header({ format: 3 }), "it is not a dump in PostgreSQL's custom format"],
    ['a very old format', header({ minor: 9 }), 'its archive format 1.9 is older than PostgreSQL 9'],
    ['odd integers', header({ integers: 9 }), 'its header is damaged (integers of 9 bytes)'],
    ['no pg_dump', header({ pgDump: 'x' }), 'its header is damaged (it does not tell which pg_dump made it)'],
  ])('is refused: %s', (_, bytes, reason) => {
    expect(reasonFor(bytes)).toBe(reason);
  });

  it.each([
    [1, 12, '9.6', 12],
    [1, 14, '15.3', 12],
    [1, 15, '16.1', 16],
    [1, 16, '17.2', 17],
    [1, 16, '18.1', 17],
    // a format that came after these lines were written: who wrote it reads it
    [1, 17, '19.1', 19],
    [2, 0, '20beta1', 20],
  ])('of format %i.%i and pg_dump %s needs pg_restore %i', (major, minor, pgDump, oldest) => {
    expect(oldestReader({ format: [major, minor], database: '', server: '', pgDump })).toBe(oldest);
  });
});
