import { flagTexts } from '../report/command-line.ts';
import type { Command } from './context.ts';
import { gateCommand } from './gate.ts';

/**
 * Every command but `help` and `version`, in the order of `help`. A run loads only its own command: the gate must start
 * fast.
 */
const loaders = new Map<string, () => Promise<Command>>([
  ['gate', () => Promise.resolve(gateCommand)],
  ['status', async () => (await import('./status.ts')).statusCommand],
  ['plan', async () => (await import('./plan.ts')).planCommand],
  ['verify', async () => (await import('./status.ts')).verifyCommand],
  ['backup', async () => (await import('./backup.ts')).backupCommand],
  ['restore', async () => (await import('./restore.ts')).restoreCommand],
  ['quarantine', async () => (await import('./quarantine.ts')).quarantineCommand],
  ['adopt', async () => (await import('./adopt.ts')).adoptCommand],
  ['repair', async () => (await import('./repair.ts')).repairCommand],
  ['reset', async () => (await import('./reset.ts')).resetCommand],
  ['seed', async () => (await import('./seed.ts')).seedCommand],
  ['compose', async () => (await import('./compose.ts')).composeCommand],
]);

export const commandNames: readonly string[] = [...loaders.keys()];

/** Loads a command. @returns null if there is none of this name */
export async function loadCommand(name: string): Promise<Command | null> {
  return (await loaders.get(name)?.()) ?? null;
}

/** Loads all commands. */
export async function loadCommands(): Promise<readonly Command[]> {
  return Promise.all([...loaders.values()].map((load) => load()));
}

const closing = [
  '`--json` makes the result of every command one object on standard output, with `exitCode`; the log goes to standard error.',
  'Settings come from the environment: DATABASE_URL, or POSTGRES_HOST, POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB.',
  '`help settings` explains all of them and shows the defaults.',
  'Exit code 0 means that the application may start; every other one is explained in the README.',
  '',
];

/** The text of `help COMMAND`: the ways to use it, a line each, and what each flag does. */
export function commandHelp({ name, usage, summary, flags, options = [], explains = {} }: Command): string {
  const ways = usage.split(' | ').map((way) => `  db-init ${name} ${way}`.trimEnd());
  const explained = [...options, ...flags, 'json']
    .toSorted()
    .flatMap((flag) => [`  --${flag}`, `      ${explains[flag] ?? explain(name, flag)}`]);
  return [`db-init ${name}: ${summary}`, '', 'Usage:', ...ways, '', 'Flags:', ...explained, '', ...closing].join('\n');
}

/** What a flag does; some do something else for one command. */
function explain(command: string, flag: string): string {
  return flagTexts[`${command} --${flag}`] ?? flagTexts[`--${flag}`] ?? '';
}

/** The text of `help`. */
export function helpText(version: string, commands: readonly Command[]): string {
  const entries = [
    ...commands.map(({ name, usage, summary }) => [`${name} ${usage}`.trimEnd(), summary]),
    ['help [COMMAND]', 'show this text, or how one command is used'],
    ['help settings', 'show every setting, what it is for, and its default'],
    ['version', 'show the version, and the release of TimeTracker that it is for'],
  ];
  return [
    `db-init ${version}: the database gate of TimeTracker`,
    '',
    'Usage: db-init [command] [flags]',
    '',
    ...entries.flatMap(([usage = '', summary = '']) => [`  ${usage}`, `      ${summary}`]),
    '',
    ...closing,
  ].join('\n');
}
