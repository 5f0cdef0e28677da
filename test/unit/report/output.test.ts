import { describe, expect, it } from 'vitest';
import { openOutput } from '../../../src/report/output.ts';

function capture(secrets: readonly string[], machine = false) {
  const written = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof written) => ({ write: (text: string) => (written[name] += text) });
  return { written, output: openOutput({ stdout: stream('stdout'), stderr: stream('stderr') }, secrets, machine) };
}

describe('openOutput', () => {
  it.each(['result', 'log', 'notice'] as const)('takes every secret out of a %s', (way) => {
    const { written, output } = capture(['hunter2', 'postgresql://app:hunter2@db/app', '']);
    output[way]('postgresql://app:hunter2@db/app, hunter2, and hunter2again');
    expect(written.stdout + written.stderr).toBe('***, ***, and ***again');
  });

  it.each(['result', 'log', 'notice'] as const)('lets no %s steer a terminal', (way) => {
    const { written, output } = capture([]);
    output[way]('a\u001b[2J\u009b2J\rb\u0007\n\tläßt 日本\n');
    expect(written.stdout + written.stderr).toBe('a?[2J?2J?b?\n\tläßt 日本\n');
  });

  it('knows a secret by its form within JSON', () => {
    const secret = 'quote " and back\\slash';
    const { written, output } = capture([secret]);
    output.log(JSON.stringify({ message: `the password ${secret} is wrong` }));
    expect(JSON.parse(written.stdout)).toEqual({ message: 'the password *** is wrong' });
  });

  it('takes a secret as it is, not as a pattern', () => {
    const { written, output } = capture(['a.*$&']);
    output.result('a.*$& abc');
    expect(written.stdout).toBe('*** abc');
  });

  it('keeps standard output for the result where a machine reads it', () => {
    const { written, output } = capture([], true);
    output.log('log\n');
    output.notice('notice\n');
    output.result('{}');
    expect(written).toEqual({ stdout: '{}', stderr: 'log\nnotice\n' });
  });

  it('logs to standard output for people, and warns on standard error', () => {
    const { written, output } = capture([]);
    output.log('log');
    output.notice('notice');
    expect(written).toEqual({ stdout: 'log', stderr: 'notice' });
  });
});
