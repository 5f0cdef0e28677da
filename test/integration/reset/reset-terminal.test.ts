import { execa } from 'execa';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { snapshot } from '../../support/snapshot.ts';
import { waitForOutput } from '../../support/wait-for-output.ts';
import { installationOf } from './resets.ts';

const entrypoint = join(import.meta.dirname, '../../../entrypoint');

// only the `script` of util-linux can run a command with -c
const { failed: missing } = await execa('script', ['-qec', 'true', '/dev/null'], { reject: false, stdin: 'ignore' });

describe.skipIf(missing)('reset on a terminal', () => {
  it.each([
    ['the name of the database', 'before.db\r', 0],
    ['anything else', 'yes\r', 2],
    ['the end of the input', '\u0004', 2],
    ['ctrl-C', '\u0003', 130],
  ])('asks for the name of the database: %s', async (_what, answer, expected) => {
    const { database, env } = await installationOf('sqlite', 'v1.5.1');
    const before = await snapshot(database.url);
    const terminal = execa('script', ['-qec', `'${entrypoint}' reset`, '/dev/null'], {
      env: { PATH: process.env['PATH'], ...env },
      extendEnv: false,
      reject: false,
    });
    await waitForOutput(terminal, /This DELETES ALL DATA[^]*Type the name of the database, before\.db, to continue: /);
    terminal.stdin.write(answer);
    const { exitCode, stdout } = await terminal;
    expect(exitCode).toBe(expected);
    // "no" is an answer, not an error: a sentence, and no banner
    const answered = stdout.slice(stdout.indexOf('to continue: '));
    expect(/^Nothing was changed: consent was not given\.\r?$/m.test(answered)).toBe(expected === 2);
    expect(/✗.*\(exit code/.test(answered)).toBe(expected === 130);
    expect((await snapshot(database.url)) === before).toBe(expected !== 0);
  });
});
