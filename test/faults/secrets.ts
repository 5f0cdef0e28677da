import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { archivesIn } from '../integration/backup/backups.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { requireTrueSafeSentence } from '../support/safe-sentence.ts';
import { runInProcess, type RunOutput } from '../support/run-in-process.ts';
import { everythingIn, leaksIn, marker } from './markers.ts';

/** Secrets in the environment of the run, also unused ones. */
export const settings = {
  password: marker('password'),
  other: marker('POSTGRES_PASSWORD beside an address'),
  libpq: marker('PGPASSWORD beside an address'),
  secretKey: marker('SECRET_KEY'),
  settingsKey: marker('SETTINGS_ENCRYPTION_KEY'),
  mail: marker('MAIL_PASSWORD'),
  oidc: marker('OIDC_CLIENT_SECRET'),
  demo: marker('DEMO_PASSWORD'),
  ai: marker('AI_API_KEY'),
};

/** Secrets in rows of the database. */
export const rows = {
  passwordHash: marker('users.password_hash'),
  twoFactor: marker('users.two_factor_secret'),
  token: marker('api_tokens.token_hash'),
  client: marker('settings.jira_client_secret'),
  setup: marker('clients.password_setup_token'),
};

export const secrets = { ...settings, ...rows };

/** With all characters that an address, JSON or a shell would escape. */
export const password = `p %2F"'\\$&@:/?#ü${settings.password}`;

const surroundings = {
  SECRET_KEY: settings.secretKey,
  SETTINGS_ENCRYPTION_KEY: `${settings.settingsKey}=`,
  MAIL_PASSWORD: settings.mail,
  OIDC_CLIENT_SECRET: settings.oidc,
  DEMO_PASSWORD: settings.demo,
  AI_API_KEY: settings.ai,
  TT_WAIT_TIMEOUT: '0',
  TT_LOCK_TIMEOUT: '0',
};

/** A separate folder for all files that a run leaves behind. */
export async function place(): Promise<{ readonly folder: string; readonly env: Readonly<Record<string, string>> }> {
  const folder = await temporaryDirectory();
  for (const name of ['data', 'static', 'attachments']) await mkdir(join(folder, name));
  const env = {
    ...surroundings,
    UPLOAD_FOLDER: join(folder, 'data'),
    TT_STATIC_UPLOAD_FOLDER: join(folder, 'static'),
    TT_ATTACHMENT_FOLDER: join(folder, 'attachments'),
    INSTALLATION_CONFIG_DIR: folder,
    TT_REPORT_FILE: join(folder, 'report.json'),
    FLASK_ENV: 'development',
  };
  return { folder, env };
}

/** Commands that take little time, where the gate refuses. NAME is the database's, FILE an archive. */
export const quick: readonly (readonly string[])[] = [
  ...['status', 'plan', 'verify'].flatMap((command) => [[command], [command, '--json']]),
  ['plan', '--rehearse', '--json'],
  ['gate'],
  ['adopt'],
  ['repair'],
  ['backup', 'list', '--json'],
  ['restore', '/nowhere.zip', '--yes'],
  ['quarantine', 'list', '--json'],
];

/** Every command, in an order in which each has something to do. */
export const every: readonly (readonly string[])[] = [
  ...['status', 'plan', 'verify'].flatMap((command) => [[command], [command, '--json']]),
  ['plan', '--rehearse'],
  ['adopt', '--dry-run'],
  ['repair', '--dry-run'],
  ['gate'],
  ['adopt'],
  ['repair'],
  ['backup', 'create', '--keep', '9'],
  ['backup', 'list'],
  ['backup', 'list', '--json'],
  ['backup', 'verify', 'FILE', '--prove'],
  ['backup', 'verify', 'FILE', '--json'],
  ['seed', '--users', '1', '--json'],
  ['restore', 'FILE', '--yes'],
  ['restore', '--undo', '--yes'],
  ['restore', '/nowhere.zip', '--yes'],
  ['quarantine', 'create', '--all', '--yes'],
  ['quarantine', 'list'],
  ['quarantine', 'list', '--json'],
  ['quarantine', 'restore', 'nothing'],
  ['quarantine', 'purge', 'nothing', '--yes'],
  ['backup', 'prune', '--keep', '1'],
  ['reset', '--yes-delete-all-data', 'NAME'],
  ['help'],
  ['version'],
  ['nonsense'],
  ['status', '--nonsense'],
];

let runs = 0;

/** Runs a command with both log formats in turn; its output and its files must contain no secret. */
export async function tell(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  folder: string,
): Promise<RunOutput> {
  runs += 1;
  const format = runs % 2 === 0 ? 'human' : 'json';
  const told = await runInProcess(args, { TT_LOG_FORMAT: format, ...env }, folder);
  expect(leaksIn(told.all, secrets), `${args.join(' ')}: ${told.all}`).toEqual([]);
  return told;
}

/**
 * Runs commands one after the other.
 * @param seen the contents of the database
 * @returns the exit code of each, and all output
 */
export async function tellAll(
  commands: typeof every,
  env: Readonly<Record<string, string>>,
  folder: string,
  name: string,
  seen: () => Promise<string> = () => Promise.resolve(''),
): Promise<{ readonly codes: Readonly<Record<string, number>>; readonly said: string }> {
  const codes: Record<string, number> = {};
  let said = '';
  const backups = join(folder, 'data/backups');
  for (const command of commands) {
    const [archive = 'none.zip'] = await archivesIn(backups).catch(() => []);
    const words: Readonly<Record<string, string>> = { NAME: name, FILE: join(backups, archive) };
    const args = command.map((word) => words[word] ?? word);
    const before = await seen();
    const { exitCode, all } = await tell(args, env, folder);
    if (exitCode !== 0) requireTrueSafeSentence(all, (await seen()) !== before);
    expect(exitCode, `${command.join(' ')}: ${all}`).not.toBe(1);
    codes[command.join(' ')] = exitCode;
    said += all.replaceAll(/\s+/g, ' ');
  }
  expect(leaksIn(await everythingIn(folder, false), secrets)).toEqual([]);
  expect(leaksIn(await everythingIn(folder, true), settings)).toEqual([]);
  return { codes, said };
}

/** Puts secrets into rows, as the application does. */
export const secretRows = `
  UPDATE users SET password_hash = 'scrypt:${rows.passwordHash}';
  UPDATE settings SET jira_client_secret = 'enc:v1:${rows.client}';
  UPDATE clients SET password_setup_token = '${rows.setup}';`;
