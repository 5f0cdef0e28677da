import { converterOf, Misfit, type ConversionCounts } from '../../src/database/conversion/convert.ts';

/** The text of a converted value, or `!` and the rule that it breaks. Notes of the conversion follow after `#`. */
export function convertedText(type: string, value: unknown, labels: readonly string[] | null = null): string {
  const counts: ConversionCounts = new Map();
  const converted = converterOf({ type, labels }, false)(value, counts);
  const text = converted instanceof Misfit ? `!${converted.rule}` : converted;
  return [text, ...counts.keys()].join(' #');
}

const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');

/** Values by the type of their column, each with its converted text. */
export const cases: Readonly<Record<string, readonly (readonly [unknown, string])[]>> = {
  boolean: [
    [0, 'f'],
    [1, 't'],
    [0n, 'f'],
    [1n, 't'],
    ...['true', 'TRUE', 't', 'yes', 'Y', 'on', '1', ' true '].map((word) => [word, 't #word'] as const),
    ...['false', 'False', 'f', 'no', 'n', 'off', '0'].map((word) => [word, 'f #word'] as const),
    ...[2, -1, 0.5, '', 'maybe', 'constructor', bytes('01')].map((value) => [value, '!boolean'] as const),
  ],
  integer: [
    [0, '0'],
    [-0, '0'],
    [2_147_483_647, '2147483647'],
    [-2_147_483_648, '-2147483648'],
    [7n, '7'],
    ['12', '12'],
    ...[2_147_483_648, -2_147_483_649, 2 ** 53, 9_223_372_036_854_775_807n].map((value) => [value, '!range'] as const),
    ...[1.5, '', 'one', '0x10', '1e3', bytes('31')].map((value) => [value, '!integer'] as const),
  ],
  'numeric(10,2)': [
    [0.1, '0.10'],
    [0.1 + 0.2, '0.30'],
    [1.1 * 3, '3.30'],
    [-0, '0.00'],
    [5, '5.00'],
    ['12.5', '12.50'],
    ['1e3', '1000.00'],
    [99_999_999.99, '99999999.99'],
    [2.675, '2.68 #rounded'],
    [-0.005, '-0.01 #rounded'],
    [0.004, '0.00 #rounded'],
    [-0.004, '0.00 #rounded'],
    ['0.0949', '0.09 #rounded'],
    [1e-320, '0.00 #rounded'],
    ...[99_999_999.995, 1e8, 1e300, -1e21, Infinity, '1e999'].map((value) => [value, '!range'] as const),
    ...['', '12,50', 'NaN', '.', bytes('31')].map((value) => [value, '!number'] as const),
  ],
  'numeric(3,2)': [
    [0.5, '0.50'],
    [9.99, '9.99'],
    [10, '!range'],
  ],
  'numeric(18,8)': [
    [1.234_567_89, '1.23456789'],
    [0.000_000_01, '0.00000001'],
    [1e-8, '0.00000001'],
    [1_234_567_890.123_456_7, '1234567890.12345670'],
  ],
  'double precision': [
    [0.1, '0.1'],
    [0, '0'],
    [1e15, '1e+15'],
    [123_456_789_012_345, '123456789012345'],
    [1e-5, '1e-05'],
    [0.0001, '0.0001'],
    [1.5e300, '1.5e+300'],
    [Infinity, 'Infinity'],
    ['2.50', '2.5'],
    ['', '!number'],
  ],
  'character varying(3)': [
    ['', ''],
    ['abc', 'abc'],
    ['👩👩👩', '👩👩👩'],
    ['abcd', '!length'],
    ['abc ', '!length'],
    ['a\0b', '!nul'],
    ['\uFFFD', '!encoding'],
    [12, '12 #text-of-number'],
    [bytes('616263'), 'abc #text-of-bytes'],
    [bytes('ff'), '!binary'],
    [bytes('61626364'), '!length'],
  ],
  text: [
    [String.raw`\N`, String.raw`\N`],
    ['line\r\nline\ttab', 'line\r\nline\ttab'],
  ],
  'timestamp without time zone': [
    ['2024-02-29 03:04:05.120000', '2024-02-29 03:04:05.12'],
    ['2024-02-29T03:04:05', '2024-02-29 03:04:05'],
    ['2024-02-29 03:04', '2024-02-29 03:04:00'],
    ['2024-02-29', '2024-02-29 00:00:00 #midnight-of-date'],
    ['2024-02-29 03:04:05.123456000', '2024-02-29 03:04:05.123456'],
    ['2024-02-29T03:04:05.5Z', '2024-02-29 03:04:05.5 #offset'],
    ['2024-02-29 03:04:05+00:00', '2024-02-29 03:04:05 #offset'],
    ['2024-02-29 03:04:05-0530', '2024-02-29 03:04:05 #offset'],
    ['9999-12-31 23:59:59.999999', '9999-12-31 23:59:59.999999'],
    ...['2023-02-29', '2024-13-01', '2024-04-31', '0000-01-01', '2024-01-01 24:00:00', '2024-01-01 10:60'].map(
      (value) => [value, '!timestamp'] as const,
    ),
    ...['2024-01-01 10:00:00.1234567', '2024-01-01 ', '2024-01-01T', '10:00:00', 'now', '', 0, 1_700_000_000].map(
      (value) => [value, '!timestamp'] as const,
    ),
  ],
  date: [
    ['2024-01-02', '2024-01-02'],
    ['2024-01-02 00:00:00.000000', '2024-01-02 #date-of-midnight'],
    ['2024-01-02 00:00:01', '!date'],
    ['02.01.2024', '!date'],
    [20_240_102, '!date'],
  ],
  'time without time zone': [
    ['08:30:00.000000', '08:30:00'],
    ['08:30', '08:30:00'],
    ['25:00', '!time'],
    ['2024-01-02 08:30:00', '!time'],
  ],
  interval: [
    ['1970-01-01 00:00:00.000000', '00:00:00'],
    ['1970-01-01 01:30:00.500000', '01:30:00.5'],
    ['1970-01-02 00:00:00', '1 day'],
    ['1970-01-03 01:00:00', '2 days 01:00:00'],
    ['1969-12-31 23:00:00', '-1 days +23:00:00'],
    ['1969-12-30 00:00:00', '-2 days'],
    ['3600', '!interval'],
    [3600, '!interval'],
  ],
  json: [
    ['{"b": 1,  "a":[1.50]}', '{"b": 1,  "a":[1.50]}'],
    ['null', 'null'],
    [5, '5'],
    [1.5, '1.5'],
    [bytes('7b7d'), '{} #text-of-bytes'],
    ...['', '{', "{'a': 1}", '[NaN]', 'text'].map((value) => [value, '!json'] as const),
  ],
  jsonb: [
    ['{"bb": 1, "a": {"é": "\\u00e9\\n"}}', '{"a": {"é": "é\\n"}, "bb": 1}'],
    ['{"bb": 1, "a":  [1.50, 1e3, -0, 1E-2], "a": {}}', '!jsonb'],
    ['[1.50, 1e3, -0.0, 1.0e-2, true]', '[1.50, 1000, 0.0, 0.010, true]'],
    ['[]', '[]'],
    [' { } ', '{}'],
    [String.raw`"\u0000"`, '!jsonb'],
    [String.raw`"\ud800"`, '!jsonb'],
    ['1e999999', '!jsonb'],
    ['[', '!json'],
    [`${'['.repeat(200_000)}${']'.repeat(200_000)}`, '!jsonb'],
  ],
  bytea: [
    [bytes('00ff'), String.raw`\x00ff`],
    ['text', '!binary'],
  ],
  bigint: [
    [9_223_372_036_854_775_807n, '9223372036854775807'],
    ['1', '!integer'],
  ],
  numeric: [
    [0.1, '0.1'],
    [3n, '3'],
    [1e21, '1000000000000000000000'],
  ],
};
