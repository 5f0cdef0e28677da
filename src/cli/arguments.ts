import { parseArgs } from 'node:util';
import { Failure, reasonOf } from '../failure.ts';
import { commands } from './commands.ts';
import type { Command } from './context.ts';

/** What the command line asks for. */
export type Request =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | { readonly kind: 'command'; readonly command: Command; readonly json: boolean };

/**
 * Parses the arguments after the program's name.
 * @throws Failure `usage`
 */
export function readArguments(arguments_: readonly string[]): Request {
  const [first = 'gate', ...others] = arguments_;
  if (['help', '--help', '-h'].includes(first)) return { kind: 'help' };
  if (['version', '--version', '-V'].includes(first)) return { kind: 'version' };
  // flags alone belong to the default command
  const name = first.startsWith('-') ? 'gate' : first;
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) {
    const known = [...commands.map((candidate) => candidate.name), 'help', 'version'].join(', ');
    throw new Failure({ kind: 'usage', message: `There is no command "${name}". There are: ${known}.` });
  }
  const json = command.flags.includes('json') ? { json: { type: 'boolean' as const } } : {};
  try {
    const { values } = parseArgs({
      args: first.startsWith('-') ? [...arguments_] : others,
      options: { ...json, help: { type: 'boolean', short: 'h' } },
      allowPositionals: false,
    });
    if (values.help === true) return { kind: 'help' };
    return { kind: 'command', command, json: 'json' in values && values.json === true };
  } catch (error) {
    throw new Failure({ kind: 'usage', message: `${command.name}: ${reasonOf(error)}` });
  }
}
