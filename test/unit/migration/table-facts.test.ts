import { expect, it } from 'vitest';
import { unaskedDifferences, type Fact } from '../../../src/migration/schema-builder/table-facts.ts';

const type: Fact = { about: 'type', columns: ['a'], text: 'column a: type TEXT' };
const other: Fact = { about: 'type', columns: ['b'], text: 'column b: type TEXT' };
const key: Fact = { about: 'key', columns: ['a', 'b'], text: 'foreign key' };
const rows: Fact = { about: 'other', columns: [], text: 'rows: 2' };

it('accepts the intended change, and no other', () => {
  const changed: Fact = { ...type, text: 'column a: type JSON' };
  const change = { kind: 'setType', column: 'A', type: 'JSON' } as const;
  expect(unaskedDifferences([type, key, rows], [changed, key, rows], change)).toEqual([]);
  expect(unaskedDifferences([type, other, key, rows], [changed, { ...other, text: 'column b' }], change)).toEqual([
    'lost column b: type TEXT',
    'lost foreign key',
    'lost rows: 2',
    'gained column b',
  ]);
});

it('accepts that a dropped column removes its keys, and that an added column brings its keys', () => {
  expect(unaskedDifferences([type, key, other], [other], { kind: 'dropColumn', column: 'a' })).toEqual([]);
  expect(unaskedDifferences([other], [type, key, other], { kind: 'dropColumn', column: 'a' })).toHaveLength(2);
  const added = { kind: 'addColumn', column: 'a', definition: 'TEXT' } as const;
  expect(unaskedDifferences([other], [type, key, other], added)).toEqual([]);
  const constraint = { kind: 'addConstraint', name: 'k', definition: 'UNIQUE (a)' } as const;
  expect(unaskedDifferences([type], [type, key, other], constraint)).toEqual(['gained column b: type TEXT']);
});

it('counts equal facts', () => {
  const change = { kind: 'addConstraint', name: 'k', definition: 'UNIQUE (a)' } as const;
  expect(unaskedDifferences([key, key], [key], change)).toEqual(['lost foreign key']);
});
