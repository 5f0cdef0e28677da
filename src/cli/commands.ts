import { adoptCommand } from './adopt.ts';
import { backupCommand } from './backup.ts';
import type { Command } from './context.ts';
import { gateCommand } from './gate.ts';
import { statusCommand, verifyCommand } from './looking.ts';
import { planCommand } from './plan.ts';
import { quarantineCommand } from './quarantine.ts';
import { repairCommand } from './repair.ts';
import { resetCommand } from './reset.ts';
import { restoreCommand } from './restore.ts';
import { seedCommand } from './seed.ts';

/** Every command that works on a database. `help` and `version` need none. */
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
];

const closing = [
  'Settings come from the environment: DATABASE_URL, or POSTGRES_HOST, POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB.',
  'Exit code 0 means that the application may start; every other one is explained in the README.',
  '',
];

/** The text of `help COMMAND`: the ways to use it, a line each. */
export function commandHelp({ name, usage, summary }: Command): string {
  const ways = usage.split(' | ').map((way) => `  db-init ${name} ${way}`.trimEnd());
  return [`db-init ${name}: ${summary}`, '', 'Usage:', ...ways, '', ...closing].join('\n');
}

/** The text of `help`. */
export function helpText(version: string): string {
  const entries = [
    ...commands.map(({ name, usage, summary }) => [`${name} ${usage}`.trimEnd(), summary]),
    ['help [COMMAND]', 'show this text, or how one command is used'],
    ['version [--json]', 'show the version, and the release of TimeTracker that it is for'],
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
