import { describe, expect, it } from 'vitest';
import { openLog } from '../../../src/report/log.ts';
import { openOutput } from '../../../src/report/output.ts';

function capture(secrets: readonly string[], machine = false) {
  const written = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof written) => ({ write: (text: string) => (written[name] += text) });
  return { written, output: openOutput({ stdout: stream('stdout'), stderr: stream('stderr') }, secrets, { machine }) };
}

describe('openOutput', () => {
  it.each(['result', 'log', 'notice'] as const)('removes every secret from a %s', (way) => {
    const { written, output } = capture(['hunter2', 'postgresql://app:hunter2@db/app', '']);
    output[way]('postgresql://app:hunter2@db/app, hunter2, and hunter2again', {});
    expect(written.stdout + written.stderr).toBe('***, ***, and ***again');
  });

  it.each(['result', 'log', 'notice'] as const)('removes control sequences for the terminal from a %s', (way) => {
    const { written, output } = capture([]);
    output[way]('a\u001b[2J\u009b2J\rb\u0007\n\tläßt 日本\n', {});
    expect(written.stdout + written.stderr).toBe(String.raw`a\u{1b}[2J\u{9b}2J\u{d}b\u{7}` + '\n\tläßt 日本\n');
  });

  it('uses colours only on a terminal, and not with NO_COLOR', () => {
    const shown = (isTTY: boolean, plain: boolean): readonly string[] => {
      const lines: string[] = [];
      const stream = { isTTY, write: (text: string) => lines.push(text) };
      const output = openOutput({ stdout: stream, stderr: stream }, ['hunter2'], { machine: false, plain });
      output.notice('\n====\n✗ hunter2 (exit code 4)\nSafe: nothing.\n');
      output.log('12:00:01Z WARNING: look\n');
      output.entry('{"msg":"WARNING"}\n');
      output.result('plain\n', {});
      return lines;
    };
    expect(shown(true, false)).toEqual([
      '\n\u001B[2m====\u001B[0m\n\u001B[1;31m✗ *** (exit code 4)\u001B[0m\n\u001B[1mSafe: nothing.\u001B[0m\n',
      '\u001B[2m12:00:01Z \u001B[0m\u001B[33mWARNING: look\u001B[0m\n',
      '{"msg":"WARNING"}\n',
      'plain\n',
    ]);
    const none = ['\n====\n✗ *** (exit code 4)\nSafe: nothing.\n', '12:00:01Z WARNING: look\n'];
    expect([shown(false, false).slice(0, 2), shown(true, true).slice(0, 2)]).toEqual([none, none]);
  });

  it('recognises a secret in its form within JSON', () => {
    const secret = 'quote " and back\\slash';
    const { written, output } = capture([secret]);
    output.log(JSON.stringify({ message: `the password ${secret} is wrong` }));
    expect(JSON.parse(written.stdout)).toEqual({ message: 'the password *** is wrong' });
  });

  it.each(['result', 'log', 'notice'] as const)('removes sequences that move the cursor from a %s', (way) => {
    const { written, output } = capture([]);
    output[way]('a\u001B[2J\rb\u009B1A\u0007\n\tc: Größe 日本 \u{1F600}\n', {});
    expect(written.stdout + written.stderr).toBe(
      String.raw`a\u{1b}[2J\u{d}b\u{9b}1A\u{7}` + '\n\tc: Größe 日本 \u{1F600}\n',
    );
  });

  it('treats a secret as text, not as a pattern', () => {
    const { written, output } = capture(['a.*$&']);
    output.result('a.*$& abc', {});
    expect(written.stdout).toBe('*** abc');
  });

  it.each([
    ['There is no command "postgresql://app:p%22w@db/app".', 'There is no command "postgresql://app:***@db/app".'],
    ['in /data/postgresql:/app:x@y@db/app now', 'in /data/postgresql:/app:***@db/app now'],
    ['cut off: "postgresql://app:pw…"', 'cut off: "postgresql://app:***…"'],
    ['as in postgresql://user:password@host:5432/database', 'as in postgresql://user:password@host:5432/database'],
    ['connect ECONNREFUSED ::1:5432, write to a@b', 'connect ECONNREFUSED ::1:5432, write to a@b'],
  ])('removes the password from any address, also an unknown one: %s', (text, shown) => {
    const { written, output } = capture([]);
    output.notice(text);
    expect(written.stderr).toBe(shown);
  });

  it('recognises a secret that was broken over lines', () => {
    const { written, output } = capture(['correct horse battery']);
    output.notice('the key correct\n     horse battery');
    expect(written.stderr).toBe('the key ***');
  });

  it('keeps every line of a JSON log a valid object, for any secret', async () => {
    const { written, output } = capture(['level', '12345', 'quote " here']);
    const log = await openLog('json', output);
    log.info('a level of 12345', { rows: 12345, within: { level: ['12345', 'a quote " here', null] } });
    expect(JSON.parse(written.stdout)).toMatchObject({
      level: 30,
      name: 'db-init',
      rows: 12345,
      within: { level: ['***', 'a ***', null] },
      msg: 'a *** of ***',
    });
  });

  it('keeps standard output for the result with --json', () => {
    const { written, output } = capture([], true);
    output.log('log\n');
    output.notice('notice\n');
    output.result('for people\n', { told: true });
    expect(output.lastResult).toEqual({ told: true });
    output.json({ told: true });
    expect(written).toEqual({ stdout: '{\n  "told": true\n}\n', stderr: 'log\nnotice\n' });
  });

  it('logs to standard output for people, and warns on standard error', () => {
    const { written, output } = capture([]);
    output.log('log');
    output.notice('notice');
    expect(written).toEqual({ stdout: 'log', stderr: 'notice' });
  });
});
