import { describe, expect, it } from 'vitest';
import { readArguments } from '../../../src/cli/arguments.ts';
import { commandHelp, commandNames, loadCommands } from '../../../src/cli/commands.ts';

const requestOf = (...given: string[]) => readArguments(given);

describe('readArguments', () => {
  it('runs the gate by default', async () => {
    await expect(requestOf()).resolves.toMatchObject({ kind: 'command', command: { name: 'gate' } });
    await expect(requestOf('gate')).resolves.toMatchObject({ kind: 'command', command: { name: 'gate' } });
  });

  it.each(['status', 'plan', 'verify'])('accepts %s and its --json', async (name) => {
    await expect(requestOf(name)).resolves.toMatchObject({ command: { name }, arguments: { flags: new Set() } });
    await expect(requestOf(name, '--json')).resolves.toMatchObject({
      command: { name },
      arguments: { flags: new Set(['json']) },
    });
  });

  it.each([['help'], ['--help'], ['-h'], ['help', 'help'], ['help', 'version']])(
    '%s %s asks for help',
    async (...given) => {
      await expect(requestOf(...given)).resolves.toEqual({ kind: 'help', command: null });
    },
  );

  it.each([
    ['status', '--help'],
    ['help', 'status'],
    ['--help', 'status'],
  ])('%s %s asks for the help of one command', async (...given) => {
    await expect(requestOf(...given)).resolves.toMatchObject({ kind: 'help', command: { name: 'status' } });
  });

  it.each([
    [['stauts'], 'There is no command "stauts". Did you mean status?'],
    [['help', 'backp'], 'There is no command "backp". Did you mean backup?'],
    [['Reset'], 'There is no such command (not shown). Did you mean reset?'],
    [['Tr0ub4dor&3'], 'There is no such command (not shown). There are: gate,'],
  ])('suggests a similar word, and shows no secret: %j', async (given, words) => {
    const message = expect.stringContaining(words);
    await expect(requestOf(...given)).rejects.toThrow(expect.objectContaining({ problem: { kind: 'usage', message } }));
  });

  it.each([['version'], ['--version'], ['-V']])('%s asks for the version', async (...given) => {
    await expect(requestOf(...given)).resolves.toEqual({ kind: 'version' });
  });

  it.each([['migrate'], ['status', '--jsn'], ['status', 'now'], ['status', '--json=yes'], ['--force']])(
    'refuses %s %s',
    async (...given) => {
      await expect(requestOf(...given)).rejects.toThrow(expect.objectContaining({ exitCode: 2 }));
    },
  );

  it.each([
    ['status', '--json', '--json'],
    ['seed', '--users', '3', '--users=4'],
    ['restore', 'a.zip', '--yes', '--yes'],
  ])('refuses a flag that is given twice: %s %s %s', async (...given) => {
    const message = expect.stringContaining('is given more than once');
    await expect(requestOf(...given)).rejects.toThrow(
      expect.objectContaining({ problem: { kind: 'usage', message, about: given[0] } }),
    );
  });

  it('shows the settings', async () => {
    await expect(requestOf('help', 'settings')).resolves.toEqual({ kind: 'settings' });
  });

  it('explains every flag of a command', async () => {
    for (const command of await loadCommands()) {
      const help = commandHelp(command).split('\n');
      for (const flag of [...command.flags, ...(command.options ?? [])]) {
        expect(help[help.indexOf(`  --${flag}`) + 1], `${command.name} --${flag}`).toMatch(/^ {6}\S/);
      }
    }
  });

  it.each(commandNames)('loads the command %s by its name', async (name) => {
    await expect(requestOf('help', name)).resolves.toMatchObject({ kind: 'help', command: { name } });
  });

  it('lists the options', async () => {
    const message = expect.stringMatching(
      /^Unknown option '--jsno'\. Usage: db-init backup create \[--output PATH\|-\]/,
    );
    await expect(requestOf('backup', 'list', '--jsno')).rejects.toThrow(
      expect.objectContaining({ problem: { kind: 'usage', message, about: 'backup' } }),
    );
  });

  it('lists the commands', async () => {
    await expect(requestOf('migrate')).rejects.toThrow(
      expect.objectContaining({
        problem: { kind: 'usage', message: expect.stringMatching(/"migrate".*gate, status/) },
      }),
    );
  });
});
