import { describe, expect, it } from 'vitest';
import { converterOf } from '../../../src/database/conversion/convert.ts';
import { loadHead } from '../../../src/schema/expected-schema.ts';
import { convertedText, cases } from '../../support/conversions.ts';

describe('the conversion of a value of SQLite for a column of PostgreSQL', () => {
  for (const [type, values] of Object.entries(cases)) {
    it(`works for ${type}`, () => {
      for (const [value, expected] of values)
        expect(convertedText(type, value), String(value).slice(0, 40)).toBe(expected);
    });
  }

  it('works for an enumeration, by its label in any case', () => {
    const labels = ['pending', 'approved'];
    expect(
      ['pending', 'PENDING', 'Approved', '', 1].map((value) => convertedText('approvalstatus', value, labels)),
    ).toEqual(['pending', 'pending #label-case', 'approved #label-case', '!label', '!label']);
    expect(convertedText('approvalstatus', 'OPEN', ['Open', 'open'])).toBe('!label');
  });

  it('works for every type in the schema of the head', async () => {
    const { tables, enums } = await loadHead('postgresql');
    for (const { columns } of Object.values(tables)) {
      for (const { type } of Object.values(columns)) {
        expect(() => converterOf({ type, labels: enums[type] ?? null }, false)).not.toThrow();
      }
    }
  });
});
