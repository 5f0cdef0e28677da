import { adoptCommand } from './adopt.ts';
import { backupCommand } from './backup.ts';
import { composeCommand } from './compose.ts';
import { flagTexts } from '../report/command-line.ts';
import type { Command } from './context.ts';
import { gateCommand } from './gate.ts';
import { statusCommand, verifyCommand } from './status.ts';
import { planCommand } from './plan.ts';
import { quarantineCommand } from './quarantine.ts';
import { repairCommand } from './repair.ts';
import { resetCommand } from './reset.ts';
import { restoreCommand } from './restore.ts';
import { seedCommand } from './seed.ts';

/** Every command but `help` and `version`. */
export const commands: readonly Command[] = [
  gateCommand,
  statusCommand,
  planCommand,
  verifyCommand,
  backupCommand,
  restoreCommand,
  quarantineCommand,
  adoptCommand,
  repairCommand,
  resetCommand,
  seedCommand,
  composeCommand,
];

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
export function helpText(version: string): string {
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
