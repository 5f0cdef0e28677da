import { parseArgs } from 'node:util';
import { Failure, reasonOf } from '../errors/failure.ts';
import { commandNames, loadCommand } from './commands.ts';
import type { Command, Request } from './context.ts';
import { closestName } from '../platform/closest-name.ts';
import { usageTexts } from '../report/command-line.ts';

/** Parses the arguments after the program's name. @throws Failure `usage` */
export async function readArguments(given: readonly string[]): Promise<Request> {
  const [first = 'gate', ...others] = given;
  if (['help', '--help', '-h'].includes(first)) {
    const asked = others.filter((word) => word !== '--json');
    return asked[0] === 'settings' ? { kind: 'settings' } : { kind: 'help', command: await commandForHelp(asked) };
  }
  if (['version', '--version', '-V'].includes(first)) return { kind: 'version' };
  // flags alone belong to the default command
  return first.startsWith('-')
    ? readCommand(await commandOf('gate'), given)
    : readCommand(await commandOf(first), others);
}

/** The command that `help` explains; null for `help` itself, for `version`, and if no command is named. */
async function commandForHelp([name]: readonly string[]): Promise<Command | null> {
  return name === undefined || ['help', 'version'].includes(name) ? null : commandOf(name);
}

/** @throws Failure `usage` */
async function commandOf(name: string): Promise<Command> {
  const command = await loadCommand(name);
  if (command !== null) return command;
  const known = [...commandNames, 'help', 'version'];
  const meant = closestName(name, known);
  // the word may be a password, or an address with one
  const shown = /^[a-z-]{1,20}$/.test(name) ? name : null;
  throw new Failure({ kind: 'usage', message: usageTexts.noCommand(shown, meant, known) });
}

/** Flags of every command. */
const common = ['json', 'help'] as const;

function readCommand(command: Command, args: readonly string[]): Request {
  const { flags, options = [], positionals: most = 0 } = command;
  try {
    const { values, positionals, tokens } = parseArgs({
      args: [...args],
      options: Object.fromEntries<{ type: 'boolean' | 'string' }>([
        ...[...flags, ...common].map((flag) => [flag, { type: 'boolean' }] as const),
        ...options.map((option) => [option, { type: 'string' }] as const),
      ]),
      allowPositionals: most > 0,
      tokens: true,
    });
    const given = tokens.flatMap((token) => (token.kind === 'option' ? [token.name] : []));
    // with two values it is not clear which one is meant
    const repeated = given.find((name, index) => given.indexOf(name) !== index);
    if (repeated !== undefined) throw new Error(usageTexts.repeated(repeated));
    if (positionals.length > most) throw new Error(usageTexts.tooMany(positionals.slice(most)));
    const entries = Object.entries(values);
    if (entries.some(([flag]) => flag === 'help')) return { kind: 'help', command };
    return {
      kind: 'command',
      command,
      arguments: {
        flags: new Set(entries.filter(([, value]) => value === true).map(([flag]) => flag)),
        options: new Map(entries.flatMap(([option, value]) => (typeof value === 'string' ? [[option, value]] : []))),
        positionals,
      },
    };
  } catch (error) {
    // the rest of Node's message explains how to pass an argument that only looks like an option
    const [reason = ''] = reasonOf(error).split('. ');
    const message = usageTexts.misread(reason, `${command.name} ${command.usage}`);
    throw new Failure({ kind: 'usage', message, about: command.name }, { cause: error });
  }
}
