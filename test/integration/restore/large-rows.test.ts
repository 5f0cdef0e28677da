import { expect, it } from 'vitest';
import { rowListener } from '../../../src/database/postgres/dump/row-reader.ts';

it('names the table of a row that is larger than a text can be, before it is put together', () => {
  const seen: unknown[] = [];
  const copying = (object: string) => {
    const listener = rowListener((name) => (name === 'public.skipped' ? null : (row) => seen.push(row)), 10);
    listener.statement({ kind: 'copy', object, columns: ['id', 'name'] });
    return listener;
  };
  const rows = copying('public.clients');
  for (const piece of ['\n1\tab', 'c\n2\tabcd', 'efgh\n', '3\t', 'x\n']) rows.rows(Buffer.from(piece));
  expect(seen).toEqual([
    ['1', 'abc'],
    ['2', 'abcdefgh'],
    ['3', 'x'],
  ]);
  const large = copying('public.clients');
  large.rows(Buffer.from('\n4\tabcdef'));
  expect(() => large.rows(Buffer.from('ghi'))).toThrow('a row of public.clients has more than 10 bytes');
  copying('public.skipped').rows(Buffer.from('\n4\tabcdefghijkl'));
});
