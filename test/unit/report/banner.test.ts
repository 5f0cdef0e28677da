import { describe, expect, it } from 'vitest';
import { renderBanner } from '../../../src/report/banner.ts';

const words = Array(30).fill('word').join(' ');
const lines = (text: string): string[] => text.split('\n');
const render = (happened: readonly string[], options: readonly string[] = []): string =>
  renderBanner({ title: 'It failed', happened, safe: 'everything.', options }, 7);

describe('renderBanner', () => {
  it('says what happened, what is safe and what to do, in this order', () => {
    expect(lines(render(['This.'], ['First.', 'Second.']))).toEqual([
      '='.repeat(80),
      '✗ It failed (exit code 7)',
      '',
      'This.',
      '',
      'Safe: everything.',
      '',
      'RECOVERY OPTIONS:',
      '1. First.',
      '2. Second.',
      '='.repeat(80),
      '',
    ]);
  });

  it('leaves out the heading of the options if there are none', () => {
    expect(render(['This.'])).not.toContain('RECOVERY');
  });

  it('wraps at 80 columns, only at spaces', () => {
    const text = lines(render([words]));
    expect(Math.max(...text.map((line) => line.length))).toBe(80);
    expect(text.filter((line) => line.startsWith('word')).join(' ')).toBe(words);
  });

  it('indents the further lines of an item below its first line', () => {
    const text = lines(render([`- ${words}`, '- short']));
    const [first = '', second = ''] = text.slice(3);
    expect(first).toMatch(/^- word/);
    expect(second).toMatch(/^ {2}word/);
    expect(text).toContain('- short');
    expect(Math.max(...text.map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it('indents the further lines of an option below its first line', () => {
    const text = lines(render([], [words, `${words}\n  a command`]));
    expect(text.find((line) => line.startsWith('1. '))).toBeDefined();
    expect(text.filter((line) => /^ {3}word/.test(line)).length).toBeGreaterThan(1);
  });

  it('never breaks a command, however long', () => {
    const command = `docker compose run --rm db-init ${'x'.repeat(90)} --and --more`;
    expect(lines(render([], [`Do this.\n  ${command}`]))).toContain(`     ${command}`);
  });

  it('does not lose a word that is longer than a line', () => {
    expect(render(['x'.repeat(200)])).toContain('x'.repeat(200));
  });
});
