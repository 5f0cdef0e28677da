import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const folder = `${root}/docs/runbooks`;
const runbooks = readdirSync(folder);

/** The line below a block of commands: the test that runs them, the day on which they were run by hand, or why not. */
const mark = /^_(?:Tested by `([^`]+)`|Run by hand on \d{4}-\d\d-\d\d|Not run)(?::.+)?\._$/;

/** Blocks of commands, and the paragraph below each, in one line. */
function blocksIn(text: string): readonly { readonly commands: string; readonly below: string }[] {
  const blocks = text.matchAll(/^( *)```(?:sh|yaml)\n([\s\S]*?)\n\1```\n+((?:.+\n?)+)/gm);
  return [...blocks].map(([, , commands = '', below = '']) => ({
    commands,
    below: below.replaceAll(/\s+/g, ' ').trim(),
  }));
}

describe.each(runbooks)('the runbook %s', (name) => {
  const text = readFileSync(`${folder}/${name}`, 'utf8');

  it('names the test of every block of commands', () => {
    const blocks = blocksIn(text);
    expect(blocks.length).toBe(text.match(/^ *```(?:sh|yaml)$/gm)?.length ?? 0);
    for (const { commands, below } of blocks) expect(below, commands).toMatch(mark);
  });

  it('names existing tests and documents', () => {
    const tests = blocksIn(text).flatMap(({ below }) => mark.exec(below)?.[1] ?? []);
    const links = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, link = '']) => `docs/runbooks/${link}`);
    expect([...tests, ...links].filter((file) => !existsSync(`${root}/${file}`))).toEqual([]);
  });

  it('is no longer than a page and a half, and the README links to it', () => {
    expect(text.split('\n').length).toBeLessThan(90);
    expect(readFileSync(`${root}/README.md`, 'utf8')).toContain(`docs/runbooks/${name}`);
  });
});
