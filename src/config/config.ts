import { settingHints } from '../report/setting-faults.ts';
import { closestName } from '../platform/closest-name.ts';
import { basename, join, resolve } from 'node:path';

import { commandPrefixOf, type ServiceNames, serviceNamesOf } from './command-prefix.ts';
import { collectFindings, ConfigurationError, type Findings } from './configuration-error.ts';
import { type DatabaseTarget, namesDatabase, readDatabase } from './database.ts';
import { type NotificationSettings, readNotification } from './notification.ts';
import { type Environment, type Variables, variablesOf } from './variables.ts';
import { parseCommands } from './parse-commands.ts';

export type { DatabaseTarget, PostgresTarget, SqliteTarget } from './database.ts';

export { type HostAddress, hostsOf } from './postgresql.ts';

export interface UploadRoot {
  /** Its folder in an archive; the application knows only `uploads`. */
  readonly name: UploadRootName;
  readonly folder: string;
}

/** The names of the upload folders in an archive. */
export const uploadRootNames = ['uploads', 'data_uploads', 'project_attachments'] as const;
export type UploadRootName = (typeof uploadRootNames)[number];

/** Limits against archives that are made to fill a disk. */
export interface ArchiveLimits {
  readonly entries: number;
  /** Bytes of all entries before compression. */
  readonly bytes: number;
  /** The largest ratio of all unpacked entries to the file, for files of a megabyte or more. */
  readonly ratio: number;
}

/** The settings of one run. Times are whole seconds, paths absolute. */
export interface Config {
  readonly database: DatabaseTarget;
  /** Never quarantine the tables of a corrupted database. */
  readonly skipCleanup: boolean;
  /** Refuse an empty database. */
  readonly requireExisting: boolean;
  /** Let the application start on a schema newer than this image. */
  readonly allowNewerSchema: boolean;
  /** What to do with a schema that lacks parts of its revision. */
  readonly drift: 'repair' | 'fail';
  /** Use an SQLite file on a network file system. */
  readonly allowNetworkFs: boolean;
  /** How long to wait for the database. */
  readonly waitTimeout: number;
  /** How long to wait for another run. */
  readonly lockTimeout: number;
  /** `lock_timeout` of the migrating transaction on PostgreSQL; 0 for none. */
  readonly migrationLockTimeout: number;
  /** `statement_timeout` of the migrating transaction on PostgreSQL; 0 for none. */
  readonly statementTimeout: number;
  /** The folder of the backups, found by the application's own rule. */
  readonly backupFolder: string;
  /** Every folder in which the application keeps uploads. */
  readonly uploadRoots: readonly UploadRoot[];
  /** Limits for archives, which may come from strangers. */
  readonly archiveLimits: ArchiveLimits;
  /** The possible paths of the archive to restore once, before the application starts; empty if there is none. */
  readonly restoreFrom: readonly string[];
  /** Commands to run once, before the gate, each as a list of words; empty if there are none. */
  readonly runOnce: readonly (readonly string[])[];
  /** The application's key for encrypted settings, to check whether it fits an archive; empty if it is not set. */
  readonly settingsKey: string;
  /** The folder in which the application notes that it was set up. */
  readonly installationFolder: string;
  /** FLASK_ENV: the environment of the application. */
  readonly flaskEnvironment: string;
  /** The administrator: the first name in ADMIN_USERNAMES, as the application stores it. */
  readonly administrator: string;
  /** Consent to delete all data with `reset`. */
  readonly forceReset: boolean;
  /** Whether to make a backup before changing a database with data. */
  readonly backupBeforeMigrate: 'auto' | 'always' | 'never';
  /** Hours: a start makes a backup if the newest verified one is older; null for never. */
  readonly backupMaxAge: number | null;
  /** The file for the report of a run that may write; null for none. */
  readonly reportFile: string | null;
  readonly notification: NotificationSettings;
  /** The file for Prometheus metrics of the last run; null for none. */
  readonly metricsFile: string | null;
  readonly logFormat: 'human' | 'json';
  /** The prefix of db-init commands in messages. */
  readonly commandPrefix: string;
  /** The compose services in these commands. */
  readonly services: ServiceNames;
  /** Advice about settings that are not faults: one sentence each, without secrets. */
  readonly hints: readonly string[];
}

/** The settings of a command that needs no database. */
export type Settings = Omit<Config, 'database'> & { readonly database: DatabaseTarget | null };

/**
 * Parses the environment, secret files included. Relative paths start at `workingDirectory`.
 * @throws ConfigurationError with all faults together
 */
export function readConfig(environment: Environment, workingDirectory: string): Config {
  return read(environment, workingDirectory, (variables, findings) =>
    readDatabase(variables, workingDirectory, findings),
  );
}

/** The same as `readConfig`, but a missing database is not a fault. */
export function readSettings(environment: Environment, workingDirectory: string): Settings {
  return read(environment, workingDirectory, (variables, findings) =>
    namesDatabase(variables) ? readDatabase(variables, workingDirectory, findings) : null,
  );
}

function read<Target>(
  environment: Environment,
  workingDirectory: string,
  findDatabase: (variables: Variables, findings: Findings) => Target | undefined,
): Omit<Config, 'database'> & { readonly database: Target } {
  const findings = collectFindings();
  const variables = variablesOf(environment, workingDirectory, findings);
  const folder = (variable: string): string | undefined => {
    const setting = variables.text(variable);
    return setting && resolve(workingDirectory, setting.value);
  };

  const database = findDatabase(variables, findings);
  const uploadFolder = folder('UPLOAD_FOLDER') ?? '/data/uploads';
  const backupFolder = folder('BACKUP_FOLDER') ?? folder('BACKUP_DIR') ?? join(uploadFolder, 'backups');
  const restoreFrom = variables.text('TT_RESTORE_FROM')?.value;
  const once = variables.text('TT_RUN_ONCE')?.value.trim() ?? '';
  const orders = once === '' ? ({ kind: 'commands', commands: [] } as const) : parseCommands(once);
  if (orders.kind === 'fault') findings.fault('TT_RUN_ONCE', orders.problem);
  const settings = {
    skipCleanup: variables.flag('TT_SKIP_DB_CLEANUP'),
    requireExisting: variables.flag('TT_REQUIRE_EXISTING'),
    allowNewerSchema: variables.flag('TT_ALLOW_NEWER_SCHEMA'),
    drift: variables.choice('TT_DRIFT', ['repair', 'fail']),
    allowNetworkFs: variables.flag('TT_ALLOW_NETWORK_FS'),
    waitTimeout: variables.seconds('TT_WAIT_TIMEOUT', 120),
    lockTimeout: variables.seconds('TT_LOCK_TIMEOUT', 300),
    migrationLockTimeout: variables.seconds('TT_MIGRATION_LOCK_TIMEOUT', 10),
    statementTimeout: variables.seconds('TT_STATEMENT_TIMEOUT', 0),
    backupFolder,
    uploadRoots: distinct([
      { name: 'uploads', folder: folder('TT_STATIC_UPLOAD_FOLDER') ?? '/app/app/static/uploads' },
      { name: 'data_uploads', folder: uploadFolder },
      { name: 'project_attachments', folder: folder('TT_ATTACHMENT_FOLDER') ?? '/app/uploads/project_attachments' },
    ]),
    archiveLimits: {
      entries: variables.number('TT_ARCHIVE_MAX_ENTRIES', 1_000_000),
      bytes: variables.number('TT_ARCHIVE_MAX_GIGABYTES', 1000) * 1_000_000_000,
      ratio: variables.number('TT_ARCHIVE_MAX_RATIO', 200),
    },
    restoreFrom: restoreFrom === undefined ? [] : archivePaths(restoreFrom, backupFolder, workingDirectory),
    runOnce: orders.kind === 'fault' ? [] : orders.commands,
    settingsKey: variables.secret('SETTINGS_ENCRYPTION_KEY')?.value ?? '',
    installationFolder: folder('INSTALLATION_CONFIG_DIR') ?? '/data',
    flaskEnvironment: variables.text('FLASK_ENV')?.value ?? 'production',
    administrator: firstName(variables.text('ADMIN_USERNAMES')?.value ?? ''),
    forceReset: variables.flag('TT_FORCE_RESET_DB'),
    backupBeforeMigrate: variables.choice('TT_BACKUP_BEFORE_MIGRATE', ['auto', 'always', 'never']),
    backupMaxAge: variables.text('TT_BACKUP_MAX_AGE') === undefined ? null : variables.number('TT_BACKUP_MAX_AGE', 1),
    reportFile: reportFileOf(environment, workingDirectory),
    notification: readNotification(environment, workingDirectory),
    metricsFile: metricsFileOf(environment, workingDirectory),
    logFormat: variables.choice('TT_LOG_FORMAT', ['human', 'json']),
    commandPrefix: commandPrefixOf(environment),
    services: serviceNamesOf(environment),
  };
  if (/^\s*on\s*$/i.test(environment.TT_SKIP_DB_CLEANUP ?? '')) {
    findings.hint(settingHints.cleanupWord);
  }

  hintAtMisspellings(environment, variables, findings);

  if (database === undefined || findings.faults.length > 0) throw new ConfigurationError(findings.faults);
  return { database, ...settings, hints: findings.hints };
}

/**
 * The possible paths of an archive: relative to the working directory, like all paths; a name without a folder may also
 * be in the backup folder.
 */
export function archivePaths(given: string, backupFolder: string, workingDirectory: string): readonly string[] {
  const places = [resolve(workingDirectory, given)];
  return basename(given) === given ? [...new Set([...places, join(backupFolder, given)])] : places;
}

/** Settings that are read on their own, because they are needed even if others are invalid. */
const otherSettings =
  'TT_REPORT_FILE TT_METRICS_FILE TT_NOTIFY_URL TT_NOTIFY_URL_FILE TT_NOTIFY_ON TT_PING_URL TT_PING_URL_FILE ' +
  'TT_COMMAND_PREFIX TT_APP_SERVICE TT_DB_SERVICE';

/** A misspelled setting has no effect, and its owner relies on it: TT_REQUIRE_EXSITING protects nothing. */
function hintAtMisspellings(environment: Environment, { names }: Variables, findings: Findings): void {
  const known = new Set([...names, ...otherSettings.split(' ')]);
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith('TT_') || known.has(name) || (value ?? '') === '') continue;
    const meant = closestName(name, [...known]);
    if (meant !== null) findings.hint(settingHints.misspelled(name, meant));
  }
}

/** Two settings may name the same folder: only the first one counts. */
function distinct(roots: readonly UploadRoot[]): readonly UploadRoot[] {
  return roots.filter(({ folder }, index) => roots.findIndex((root) => root.folder === folder) === index);
}

function firstName(list: string): string {
  const names = list.split(',').map((name) => name.trim().toLowerCase());
  return names.find((name) => name !== '') ?? 'admin';
}

/** The file for the report; known even if the rest of the configuration is invalid. */
export function reportFileOf({ TT_REPORT_FILE: file = '' }: Environment, workingDirectory: string): string | null {
  return file === '' ? null : resolve(workingDirectory, file);
}

/** The file for the metrics; known even if the rest of the configuration is invalid. */
export function metricsFileOf({ TT_METRICS_FILE: file = '' }: Environment, workingDirectory: string): string | null {
  return file === '' ? null : resolve(workingDirectory, file);
}
