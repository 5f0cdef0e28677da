import type { ComposeFiles } from './compose-file.ts';
import { type Installation, isFloating, isImageOfDbInit, isMounted, servesPostgres } from './installation.ts';
import { withDefaults } from './interpolation.ts';
import type { Service } from './service.ts';
import { listOf, mapOf, textOf } from './yaml.ts';

/** The additions to a compose file that let db-init run before the application. */
export interface Override {
  readonly dbInit: Readonly<Record<string, unknown>>;
  /** The service that makes backups if its profile is active; null if the application has profiles already. */
  readonly backups: Readonly<Record<string, unknown>> | null;
  /** The additions to each service. */
  readonly others: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  /** Declared volumes. */
  readonly volumes: readonly string[];
  readonly remarks: readonly Remark[];
}

/** Notes and questions that are written as comments into the file. */
export type Remark =
  | { readonly kind: 'attachments'; readonly application: string }
  | { readonly kind: 'floating' }
  | { readonly kind: 'owner-of-folders' }
  | { readonly kind: 'named-user'; readonly user: string }
  /** @property unread those that were not read */
  | { readonly kind: 'env-files'; readonly files: readonly string[]; readonly unread: readonly string[] }
  | { readonly kind: 'translated'; readonly variables: readonly string[] }
  /** A part of the address is only in an env file, under a name that db-init does not read. */
  | {
      readonly kind: 'hidden-value';
      readonly variable: string;
      readonly setting: string;
      readonly files: readonly string[];
    }
  /** Paths of included files that begin with a variable: a relative value has another base here. */
  | { readonly kind: 'uncertain-paths'; readonly paths: readonly string[] }
  | { readonly kind: 'similar'; readonly services: readonly string[] }
  /** Services that look like TimeTracker and have another database. */
  | { readonly kind: 'separate'; readonly services: readonly string[] }
  /** A service of another program has db-init's name. */
  | { readonly kind: 'name-taken'; readonly image: string }
  | { readonly kind: 'sqlite-without-volume'; readonly file: string }
  | { readonly kind: 'external'; readonly host: string }
  /** @property given whether the address is in a place that was not read; if not, it is missing */
  | { readonly kind: 'unseen-address'; readonly server: string | null; readonly given: boolean }
  | { readonly kind: 'doubtful-server'; readonly service: string; readonly checked: boolean }
  | { readonly kind: 'health-check'; readonly service: string; readonly former: 'none' | 'socket' }
  | { readonly kind: 'unread'; readonly files: readonly string[] };

/** The folder of the attachments of projects, and its volume. */
const attachments = '/app/uploads/project_attachments';
const attachmentVolume = 'app_attachments';

/** The application's log folder, which db-init does not need. */
const logFolder = '/app/logs';

/** The keys that db-init copies from the application's service, besides user, environment and volumes. */
const sameAsApplication = [
  'profiles',
  'network_mode',
  'external_links',
  'extra_hosts',
  'dns',
  'dns_search',
  'dns_opt',
  'secrets',
  'configs',
  'volumes_from',
  'userns_mode',
  'security_opt',
] as const;

/**
 * The variables of an address. If the application's file has a complete DATABASE_URL, the others are left out, because
 * .env may set variables of these names for the server.
 */
const addressVariables =
  /^(?:DATABASE_URL|POSTGRES_\w+|PG(?:HOST|PORT|DATABASE|USER|PASSWORD|TARGETSESSIONATTRS))$|^DATABASE_URL_FILE$/;

/** The settings that the application also has, so its env files may contain them. */
const sharedSettings = /^(?!TT_(?!SKIP_DB_CLEANUP$))/;

const backups = {
  extends: { service: 'db-init' },
  profiles: ['backups'],
  restart: 'unless-stopped',
  depends_on: { 'db-init': { condition: 'service_completed_successfully' } },
  command: ['backup', 'schedule', '--cron', '${BACKUP_CRON:-30 3 * * *}', '--keep', '${BACKUP_KEEP:-14}'],
  healthcheck: {
    test: ['CMD', 'db-init', 'backup', 'schedule', '--check'],
    interval: '5m',
    timeout: '30s',
    start_period: '2m',
  },
};

/**
 * Plans the override: the service db-init, the changes to other services, and the remarks.
 * @param settings the names of all settings of db-init, in the order of the file
 */
export function planOverride(
  installation: Installation,
  files: ComposeFiles,
  { image, settings }: { readonly image: string; readonly settings: readonly string[] },
): Override {
  const { applications, address } = installation;
  const [application] = applications;
  const server = serverOf(address);
  const volume = isMounted(application, attachments) ? null : freeName(attachmentVolume, files.volumes);
  const added = volume === null ? [] : [`${volume}:${attachments}`];
  const mounts = mountsFor(application);
  const user = userOf(application);
  const { environment, remarks: onEnvironment } = environmentOf(installation, settings);
  const { addition, remarks: onServer } = additionToServer(server);
  const additionToApplication = {
    depends_on: { 'db-init': { condition: 'service_completed_successfully' } },
    environment: { TT_SKIP_DB_CLEANUP: 'true' },
    ...(added.length > 0 ? { volumes: added } : {}),
  };
  const { raw } = application;
  return {
    dbInit: {
      image,
      restart: 'no',
      init: true,
      ...Object.fromEntries(sameAsApplication.filter((key) => raw[key] !== undefined).map((key) => [key, raw[key]])),
      ...user.written,
      ...(server === null ? {} : { depends_on: { [server.name]: waitFor(server, application) } }),
      ...(address.kind === 'service' && application.links.has(address.host)
        ? { links: [`${address.service.name}:${address.host}`] }
        : {}),
      ...(application.envFiles.length > 0 ? { env_file: raw['env_file'] } : {}),
      environment,
      ...(mounts.length + added.length > 0 ? { volumes: [...mounts.map(({ written }) => written), ...added] } : {}),
      ...(application.networks.length > 0 ? { networks: application.networks } : {}),
      read_only: true,
      tmpfs: '/tmp',
      stop_grace_period: '30s',
    },
    // compose joins the lists of profiles, so the backup service would also run with the application's profiles
    backups: raw['profiles'] === undefined ? backups : null,
    others: new Map([
      ...applications.map(({ name }) => [name, additionToApplication] as const),
      ...(server === null || addition === null ? [] : [[server.name, addition] as const]),
    ]),
    volumes: volume === null ? [] : [volume],
    remarks: [
      ...remarksOnFiles(installation, files),
      ...(volume === null ? [] : [{ kind: 'attachments', application: application.name } as const]),
      ...remarksOnUser(application, user.named, mounts),
      ...onServer,
      ...onEnvironment,
    ],
  };
}

/** The service of the database; null if it is not among the services, or there is none. */
function serverOf(address: Installation['address']): Service | null {
  if (address.kind === 'service') return address.service;
  return address.kind === 'unseen' ? address.likely : null;
}

/** The remarks on files that were not read, the address of the database, and other services. */
function remarksOnFiles(installation: Installation, files: ComposeFiles): readonly Remark[] {
  const { applications, address, translations, similar, separate, dbInit } = installation;
  const [application] = applications;
  const remarks: Remark[] = files.unread.length > 0 ? [{ kind: 'unread', files: files.unread }] : [];
  if (address.kind === 'external') remarks.push({ kind: 'external', host: address.host });
  if (address.kind === 'unseen') {
    remarks.push({ kind: 'unseen-address', server: address.likely?.name ?? null, given: address.given });
  }
  const shown = translations.filter(({ hidden }) => !hidden);
  if (shown.length > 0) remarks.push({ kind: 'translated', variables: shown.map(({ variable }) => variable) });
  for (const { variable, setting, hidden } of translations) {
    if (hidden) remarks.push({ kind: 'hidden-value', variable, setting, files: application.envFiles });
  }
  if (files.uncertain.length > 0) remarks.push({ kind: 'uncertain-paths', paths: files.uncertain });
  if (similar.length > 0) remarks.push({ kind: 'similar', services: similar.map(({ name }) => name) });
  if (separate.length > 0) remarks.push({ kind: 'separate', services: separate.map(({ name }) => name) });
  if (dbInit !== null && dbInit.image !== '' && !isImageOfDbInit(dbInit)) {
    remarks.push({ kind: 'name-taken', image: dbInit.image });
  }
  if (address.kind === 'sqlite' && !isMounted(application, address.file)) {
    remarks.push({ kind: 'sqlite-without-volume', file: address.file });
  }
  return remarks;
}

/** The mounts that db-init shares. It needs no socket of the host, such as Docker's, and gets its own /tmp. */
function mountsFor({ mounts }: Service): Service['mounts'] {
  return mounts.filter(({ target }) => target !== logFolder && target !== '/tmp' && !target.endsWith('.sock'));
}

/** @param named the user, if the image of db-init does not know its name */
function remarksOnUser(
  { raw, borrowedMounts }: Service,
  named: string | null,
  mounts: Service['mounts'],
): readonly Remark[] {
  if (named !== null) return [{ kind: 'named-user', user: named }];
  const writesToFolders = [...mounts, ...borrowedMounts].some(({ bind, readOnly }) => bind && !readOnly);
  return raw['user'] === undefined && writesToFolders ? [{ kind: 'owner-of-folders' }] : [];
}

/** The health check that the database's service lacks: one over TCP. */
function additionToServer(server: Service | null): {
  readonly addition: Readonly<Record<string, unknown>> | null;
  readonly remarks: readonly Remark[];
} {
  if (server === null) return { addition: null, remarks: [] };
  const { name: service, healthCheck: former } = server;
  if (!servesPostgres(server)) {
    return { addition: null, remarks: [{ kind: 'doubtful-server', service, checked: former !== null }] };
  }
  if (former !== null && !asksTheSocket(former)) return { addition: null, remarks: [] };
  return {
    addition: { healthcheck: healthCheck(server) },
    remarks: [{ kind: 'health-check', service, former: former === null ? 'none' : 'socket' }],
  };
}

/**
 * The application's user and groups. Names of users and groups are defined in its image; the image of db-init has only
 * the name root.
 */
function userOf({ raw }: Service): {
  readonly written: Readonly<Record<string, unknown>>;
  readonly named: string | null;
} {
  const isNumber = (name: string): boolean => /^(?:(?:\d+|root)(?::(?:\d+|root))?)?$/.test(withDefaults(name));
  const user = textOf(raw['user']);
  const groups = listOf(raw['group_add']).filter((group) => isNumber(textOf(group) ?? ''));
  const named = user === null || isNumber(user) ? null : user;
  return {
    written: {
      ...(user === null || named !== null ? {} : { user }),
      ...(groups.length === 0 ? {} : { group_add: groups }),
    },
    named,
  };
}

/** The settings for the names of the services, if they differ from db-init's defaults. */
function namesOf({ applications, address }: Installation): ReadonlyMap<string, string> {
  const application = applications.map(({ name }) => name).join(' ');
  const server = address.kind === 'service' && address.service.name !== address.host ? address.service.name : null;
  return new Map([
    ...(application === 'app' ? [] : [['TT_APP_SERVICE', application] as const]),
    ...(server === null ? [] : [['TT_DB_SERVICE', server] as const]),
  ]);
}

/** The settings with the values in the files; the other settings refer to .env. */
function environmentOf(
  installation: Installation,
  settings: readonly string[],
): { readonly environment: Readonly<Record<string, string | null>>; readonly remarks: readonly Remark[] } {
  const { applications, address, dbInit, translations } = installation;
  const [application] = applications;
  const { envFiles, inEnvFiles } = application;
  const given = new Map([
    ...namesOf(installation),
    ...translations.flatMap(({ setting, value, hidden }) => (hidden ? [] : [[setting, value] as const])),
    ...application.environment,
    // if db-init is in the files already, an earlier override has set this variable for the application
    ...(dbInit === null ? [] : [['TT_SKIP_DB_CLEANUP', undefined] as const]),
    ...(dbInit?.environment ?? []),
  ]);
  const remarks: Remark[] = [];
  // ${…} passes the values in .env
  const elsewhere = envFiles.filter((file) => !/^(?:\.\/)?\.env$/.test(file));
  if (elsewhere.length > 0) remarks.push({ kind: 'env-files', files: elsewhere, unread: application.unreadEnvFiles });
  const whole = typeof given.get('DATABASE_URL') === 'string' || inEnvFiles?.has('DATABASE_URL') === true;
  // a value here, even an empty one, overrides that of an env file
  const isInEnvFile = (name: string): boolean =>
    elsewhere.length > 0 && (inEnvFiles === null ? sharedSettings.test(name) : inEnvFiles.has(name));
  const environment: Record<string, string | null> = {};
  for (const name of settings) {
    const written = given.get(name);
    if (written !== undefined) environment[name] = written;
    else if (translations.some(({ setting, hidden }) => hidden && setting === name)) continue;
    else if (isInEnvFile(name) || (whole && addressVariables.test(name))) continue;
    else if (name === 'TT_ALLOW_NEWER_SCHEMA' && isFloating(application)) {
      remarks.push({ kind: 'floating' });
      environment[name] = '${TT_ALLOW_NEWER_SCHEMA:-true}';
    } else if (name === 'POSTGRES_HOST' && address.kind === 'unseen' && !address.given && address.likely !== null) {
      environment[name] = `\${POSTGRES_HOST:-${address.likely.name}}`;
    } else environment[name] = `\${${name}:-}`;
  }
  return { environment, remarks };
}

function waitFor(server: Service, application: Service): Readonly<Record<string, unknown>> {
  const isChecked = server.healthCheck !== null || servesPostgres(server);
  const isThere =
    server.profiles.length === 0 ||
    (application.profiles.length > 0 && application.profiles.every((profile) => server.profiles.includes(profile)));
  return {
    condition: isChecked ? 'service_healthy' : 'service_started',
    // compose refuses to wait for a service whose profile is not active
    ...(isThere ? {} : { required: false }),
  };
}

/** While the image of PostgreSQL initialises an empty volume, it answers on its socket but not yet over TCP. */
function asksTheSocket(words: string): boolean {
  return /\b(?:pg_isready|psql)\b/.test(words) && !/(?:\s-h|--host)[\s=]?["']?[^\s"'/]|:\/\/[^/\s]/.test(words);
}

function healthCheck({ healthCheck: former, raw }: Service): Readonly<Record<string, unknown>> {
  const test = ['CMD-SHELL', 'pg_isready -h 127.0.0.1 -U "$${POSTGRES_USER:-postgres}" -d "$${POSTGRES_DB:-postgres}"'];
  if (former !== null) return { test };
  const disabled = mapOf(raw['healthcheck'])['disable'] === undefined ? {} : { disable: false };
  return { ...disabled, test, interval: '2s', timeout: '5s', retries: 60, start_period: '30s' };
}

function freeName(wanted: string, taken: readonly string[]): string {
  return taken.includes(wanted) ? freeName(`db_init_${wanted}`, taken) : wanted;
}
