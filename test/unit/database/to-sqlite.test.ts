import { expect, it } from 'vitest';
import { Misfit } from '../../../src/database/conversion/convert.ts';
import { conversionToSqlite } from '../../../src/database/conversion/to-sqlite.ts';

/** What SQLite keeps of a value, or `!` and the rule that it breaks; behind it what was noted. */
function kept(type: string, text: string, promised: string | null = type): unknown {
  const counts = new Map();
  const value = conversionToSqlite(type, promised).toSqlite(text, counts);
  if (value instanceof Misfit) return `!${value.rule}`;
  const plain = Buffer.isBuffer(value) ? value.toString('hex') : value;
  return counts.size === 0 ? plain : [plain, ...counts.keys()];
}

const timestamp = 'timestamp without time zone';

/** Type, what PostgreSQL prints, what SQLite keeps, and the promised type where that is another one. */
const cases: readonly (readonly [string, string, unknown, (string | null)?])[] = [
  ['boolean', 't', 1n],
  ['boolean', 'f', 0n],
  ['boolean', 'maybe', '!boolean'],
  ['integer', '-2147483648', -2_147_483_648n],
  ['bigint', '9223372036854775807', 9_223_372_036_854_775_807n, 'integer'],
  ['numeric(10,2)', '0.10', 0.1],
  ['numeric(10,2)', '99999999.99', 99_999_999.99],
  ['numeric(18,8)', '1234567890.12345678', '!digits'],
  ['numeric', '0.100', 0.1, 'numeric(10,2)'],
  ['numeric', 'NaN', '!number', 'numeric(10,2)'],
  ['numeric', 'Infinity', '!number', 'numeric(10,2)'],
  ['double precision', '1e+15', 1e15],
  ['double precision', '-0', -0],
  ['double precision', 'NaN', '!number'],
  [timestamp, '2024-02-29 03:04:05.12', '2024-02-29 03:04:05.120000'],
  [timestamp, '2024-02-29 03:04:05', '2024-02-29 03:04:05.000000'],
  ['timestamp(3) without time zone', '2024-02-29 03:04:05.1', '2024-02-29 03:04:05.100000', timestamp],
  ['timestamp with time zone', '2024-02-29 03:04:05+02', ['2024-02-29 03:04:05.000000', 'offset'], timestamp],
  ['date', '2024-02-29', ['2024-02-29 00:00:00.000000', 'midnight-of-date'], timestamp],
  ...['infinity', '-infinity', '10000-01-01 00:00:00', '0044-03-15 00:00:00 BC'].map(
    (text) => [timestamp, text, '!timestamp'] as const,
  ),
  ['date', '2024-02-29', '2024-02-29'],
  ['date', 'infinity', '!date'],
  ['time without time zone', '08:30:00', '08:30:00.000000'],
  ['time without time zone', '24:00:00', '!time'],
  ['interval', '01:30:00.5', '1970-01-01 01:30:00.500000'],
  ['interval', '-1 days +23:00:00', '1969-12-31 23:00:00.000000'],
  ['interval', '26:00:00', '1970-01-02 02:00:00.000000'],
  ['interval', '-26:00:00.25', '1969-12-30 21:59:59.750000'],
  ['interval', '1 mon', '!interval'],
  ['interval', '1 year 2 days', '!interval'],
  ['json', '{"a":  1}', '{"a":  1}'],
  ['json', '1.50', 1.5],
  ['json', '7', 7n],
  ['json', '12345678901234567890', '!json'],
  ['jsonb', '{"a": 1, "bb": [1.50]}', '{"a": 1, "bb": [1.50]}'],
  ['text', '{', '!json', 'json'],
  ['character varying(200)', '', ''],
  ['character varying(255)', 'longer than promised', 'longer than promised', 'character varying(3)'],
  ['integer', '1', [1n, 'word'], 'boolean'],
  ['bytea', String.raw`\x00ff`, '00ff', null],
  ['numeric', '12345678901234567890.5', '12345678901234567890.5', null],
  ['timestamp with time zone', '2024-01-01 00:00:00+00', '2024-01-01 00:00:00+00', null],
  ['text[]', '{a,b}', '{a,b}', null],
];

for (const [type, text, expected, promised = type] of cases) {
  it(`${type} ${text} is either stored in SQLite without loss or refused`, () => {
    expect(kept(type, text, promised)).toEqual(expected);
  });
}
