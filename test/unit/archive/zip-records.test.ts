import { describe, expect, it } from 'vitest';
import { descriptor, directoryRecord, endOfArchive, localHeader } from '../../../src/archive/zip-records.ts';

const large = 6_000_000_000;
const member = {
  name: Buffer.from('größe'),
  modified: new Date(2026, 10, 23, 19, 45, 41),
  deflated: false,
  offset: 0,
  crc32: 0xdead_beef,
  size: 10,
  packed: 10,
};

/** The 64-bit values of a record's ZIP64 field. */
const extraOf = (record: Buffer): number[] => {
  const extra = record.subarray(46 + record.readUInt16LE(28));
  const values: number[] = [];
  for (let at = 4; at < extra.length; at += 8) values.push(Number(extra.readBigUInt64LE(at)));
  return values;
};

describe('the records of an archive', () => {
  it('say the name in UTF-8 and the local time', () => {
    const header = localHeader(member);
    expect(header.readUInt16LE(6) & 0x0800).toBe(0x0800);
    expect(header.toString('utf8', 30)).toBe('größe');
    expect(header.readUInt16LE(10)).toBe((19 << 11) | (45 << 5) | 20);
    expect(header.readUInt16LE(12)).toBe(((2026 - 1980) << 9) | (11 << 5) | 23);
  });

  it.each([
    [new Date(1970, 0, 1), 1980],
    [new Date(2200, 0, 1), 2107],
  ])('say of %s the nearest year that the format knows', (modified, year) => {
    expect((localHeader({ ...member, modified }).readUInt16LE(12) >>> 9) + 1980).toBe(year);
  });

  it('have a ZIP64 field for what does not fit, and for nothing else', () => {
    expect(extraOf(directoryRecord(member))).toEqual([]);
    expect(extraOf(directoryRecord({ ...member, offset: large }))).toEqual([large]);
    expect(extraOf(directoryRecord({ ...member, size: large }))).toEqual([large]);
    const all = directoryRecord({ ...member, size: large, packed: large - 1, offset: large + 1 });
    expect(extraOf(all)).toEqual([large, large - 1, large + 1]);
    expect([20, 24, 42].map((at) => all.readUInt32LE(at))).toEqual([0xffff_ffff, 0xffff_ffff, 0xffff_ffff]);
    expect(descriptor({ ...member, size: large }).readBigUInt64LE(16)).toBe(BigInt(large));
    expect(descriptor(member)).toHaveLength(16);
  });

  it('end in those of ZIP64 where there are too many or too much', () => {
    expect(endOfArchive(65_534, 1000, 2000)).toHaveLength(22);
    for (const end of [endOfArchive(65_535, 1000, 2000), endOfArchive(1, 1000, large)]) expect(end).toHaveLength(98);
    const end = endOfArchive(70_000, 1000, large);
    expect([24, 32, 40, 48].map((at) => Number(end.readBigUInt64LE(at)))).toEqual([70_000, 70_000, 1000, large]);
    expect(Number(end.readBigUInt64LE(64))).toBe(large + 1000);
  });
});
