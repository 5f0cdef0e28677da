import { expect, it } from 'vitest';
import { splitByLocks, type QuarantineObject } from '../../../src/quarantine/objects.ts';

const thing = (name: string, locks: number): QuarantineObject => ({
  name,
  quoted: name,
  kind: 'TABLE',
  estimatedRows: null,
  countable: true,
  bytes: 0,
  locks,
});

it.each([
  { title: 'what fits is one batch', locks: [3, 3, 4], expected: ['012:0'] },
  {
    title: 'what does not goes in order, and says how much is left',
    locks: [6, 4, 1, 9, 2],
    expected: ['01:3', '23:1', '4:0'],
  },
  {
    title: 'a thing that takes more than all there are still goes, alone',
    locks: [1, 40, 1],
    expected: ['0:2', '1:1', '2:0'],
  },
  { title: 'nothing is one empty batch', locks: [], expected: [':0'] },
])('$title', ({ locks, expected }) => {
  const batches = splitByLocks(
    locks.map((count, index) => thing(String(index), count)),
    10,
  );
  expect(batches.map(({ objects: things, left }) => `${things.map(({ name }) => name).join('')}:${left}`)).toEqual(
    expected,
  );
});
