import { describe, expect, it } from 'vitest';
import { readArguments } from '../../../src/cli/arguments.ts';
import { commandHelp, commands } from '../../../src/cli/commands.ts';

const requestOf = (...given: string[]) => readArguments(given);

describe('readArguments', () => {
  it('runs the gate by default', () => {
    expect(requestOf()).toMatchObject({ kind: 'command', command: { name: 'gate' } });
    expect(requestOf('gate')).toMatchObject({ kind: 'command', command: { name: 'gate' } });
  });

  it.each(['status', 'plan', 'verify'])('accepts %s and its --json', (name) => {
    expect(requestOf(name)).toMatchObject({ command: { name }, arguments: { flags: new Set() } });
    expect(requestOf(name, '--json')).toMatchObject({ command: { name }, arguments: { flags: new Set(['json']) } });
  });

  it.each([['help'], ['--help'], ['-h'], ['help', 'help'], ['help', 'version']])('%s %s asks for help', (...given) => {
    expect(requestOf(...given)).toEqual({ kind: 'help', command: null });
  });

  it.each([
    ['status', '--help'],
    ['help', 'status'],
    ['--help', 'status'],
  ])('%s %s asks for the help of one command', (...given) => {
    expect(requestOf(...given)).toMatchObject({ kind: 'help', command: { name: 'status' } });
  });

  it.each([
    [['stauts'], 'There is no command "stauts". Did you mean status?'],
    [['help', 'backp'], 'There is no command "backp". Did you mean backup?'],
    [['Reset'], 'There is no such command (not shown). Did you mean reset?'],
    [['Tr0ub4dor&3'], 'There is no such command (not shown). There are: gate,'],
  ])('suggests a similar word, and shows no secret: %j', (given, words) => {
    const message = expect.stringContaining(words);
    expect(() => requestOf(...given)).toThrow(expect.objectContaining({ problem: { kind: 'usage', message } }));
  });

  it.each([['version'], ['--version'], ['-V']])('%s asks for the version', (...given) => {
    expect(requestOf(...given)).toEqual({ kind: 'version' });
  });

  it.each([['migrate'], ['status', '--jsn'], ['status', 'now'], ['status', '--json=yes'], ['--force']])(
    'refuses %s %s',
    (...given) => {
      expect(() => requestOf(...given)).toThrow(expect.objectContaining({ exitCode: 2 }));
    },
  );

  it.each([
    ['status', '--json', '--json'],
    ['seed', '--users', '3', '--users=4'],
    ['restore', 'a.zip', '--yes', '--yes'],
  ])('refuses a flag that is given twice: %s %s %s', (...given) => {
    const message = expect.stringContaining('is given more than once');
    expect(() => requestOf(...given)).toThrow(expect.objectContaining({ problem: { kind: 'usage', message } }));
  });

  it('shows the settings', () => {
    expect(requestOf('help', 'settings')).toEqual({ kind: 'settings' });
  });

  it.each(commands.map((command) => [command.name, command] as const))('explains every flag of %s', (_, command) => {
    const help = commandHelp(command).split('\n');
    for (const flag of [...command.flags, ...(command.options ?? [])]) {
      expect(help[help.indexOf(`  --${flag}`) + 1]).toMatch(/^ {6}\S/);
    }
  });

  it('lists the options', () => {
    const message = expect.stringMatching(
      /^Unknown option '--jsno'\. Usage: db-init backup create \[--output PATH\|-\]/,
    );
    expect(() => requestOf('backup', 'list', '--jsno')).toThrow(
      expect.objectContaining({ problem: { kind: 'usage', message } }),
    );
  });

  it('lists the commands', () => {
    expect(() => requestOf('migrate')).toThrow(
      expect.objectContaining({
        problem: { kind: 'usage', message: expect.stringMatching(/"migrate".*gate, status/) },
      }),
    );
  });
});
