import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const folder = `${root}/docs/runbooks`;
const runbooks = readdirSync(folder);

/** What stands below a block of commands: which test runs them, when somebody did, or why nobody has. */
const mark = /^_(?:Tested by `([^`]+)`|Run by hand on \d{4}-\d\d-\d\d|Not run)(?::.+)?\._$/;

/** Blocks of commands, and the first line of text below each. */
function blocksIn(text: string): readonly { readonly commands: string; readonly below: string }[] {
  const blocks = text.matchAll(/^( *)```(?:sh|yaml)\n([\s\S]*?)\n\1```\n+(.*)$/gm);
  return [...blocks].map(([, , commands = '', below = '']) => ({ commands, below: below.trim() }));
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
