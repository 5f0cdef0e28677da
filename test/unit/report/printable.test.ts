import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import {
  isPrintable,
  printable,
  printableJson,
  printableLines,
  printableSql,
  quoted,
} from '../../../src/platform/printable.ts';
import { renderBanner } from '../../../src/report/banner.ts';
import { openLog } from '../../../src/report/log.ts';
import { shellWord } from '../../../src/report/shell-quoting.ts';

/** Line breaks, direction, nothing to be seen, halves, tags, and what steers a terminal. */
const odd = [
  '\n',
  '\r',
  '\t',
  '\u2028',
  '\u2029',
  '\u0085',
  '\u202E',
  '\u2066',
  '\u200B',
  '\u200D',
  '\uFEFF',
  '\u00AD',
];
const stranger = [
  '\u0000',
  '\u001B',
  '\u009B',
  '\u007F',
  '\u3164',
  '\u115F',
  '\u034F',
  '\u{E0041}',
  '\uD800',
  '\uFE00',
];

describe('an untrusted name', () => {
  it.each([...odd, ...stranger])('is escaped if it contains %j', (character) => {
    const name = `a${character}b`;
    expect(isPrintable(name)).toBe(false);
    expect(printable(name)).toMatch(/^a\\(?:[nrt]|u\{[0-9a-f]+\})b$/);
    expect(quoted(name)).toBe(`“${printable(name)}”`);
    const json = printableJson(JSON.stringify({ [name]: name }));
    expect(isPrintable(json)).toBe(true);
    expect(JSON.parse(json)).toEqual({ [name]: name });
  });

  it.each(['Größe', '日本', 'עברית', '\u{1F600}', '✈\uFE0F', 'a b', String.raw`a\nb`])('is not changed: %s', (name) => {
    expect(printable(name)).toBe(name);
  });

  it('keeps the lines of a text, and valid JSON', () => {
    expect(printableLines('a\n\tb\u202Ec\r')).toBe(`a\n\tb${String.raw`\u{202e}`}c${String.raw`\u{d}`}`);
    expect(printableJson('{\n  "a": 1\n}')).toBe('{\n  "a": 1\n}');
  });

  it('cannot forge a line of a banner or of the log', async () => {
    const name = 'users\nSafe: everything';
    const banner = renderBanner({ title: name, happened: [name], safe: name, options: [] }, 1);
    expect(banner).not.toMatch(/^Safe: everything/m);
    let logged = '';
    const log = await openLog('human', {
      log: (text) => void (logged += text),
      entry: () => undefined,
      redact: (text) => text,
    });
    log.info(name);
    expect(logged.trimEnd().split('\n')).toHaveLength(1);
  });

  it('is one word for a shell, on one line, with the same value', () => {
    for (const character of [...odd, '%', "'", '\\', '$', '"', '`']) {
      const name = `it's 100% \\ ${character} $HOME\n\u202Eb`;
      const word = shellWord(name);
      expect(isPrintable(word)).toBe(true);
      expect(execFileSync('sh', ['-c', `printf %s ${word}`], { encoding: 'utf8' })).toBe(name);
    }
  });

  it('is on one line in a statement, with Unicode escapes', () => {
    const sql = 'DROP TRIGGER "a\n; DROP TABLE users" ON "x\u202E\\"';
    expect(printableSql(sql)).toBe(String.raw`DROP TRIGGER U&"a\000a; DROP TABLE users" ON U&"x\202e\\"`);
    expect(printableSql('SELECT "two  blanks"\n FROM "\t"')).toBe(String.raw`SELECT "two  blanks" FROM U&"\0009"`);
    expect(printableSql('SELECT "plain"')).toBe('SELECT "plain"');
    expect(printableSql('-- evil\nDROP TABLE users')).not.toContain('\n');
  });
});
