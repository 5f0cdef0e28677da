import type { ComposeFiles } from './compose-file.ts';
import { type Installation, isFloating, isMounted, servesPostgres } from './installation.ts';
import type { Service } from './service.ts';
import { mapOf } from './yaml.ts';

/** The additions to a compose file that let db-init run before the application. */
export interface Override {
  readonly dbInit: Readonly<Record<string, unknown>>;
  /** The service that makes backups if its profile is active; null if the application has profiles of its own. */
  readonly backups: Readonly<Record<string, unknown>> | null;
  /** The additions to each service. */
  readonly others: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  /** Declared volumes. */
  readonly volumes: readonly string[];
  readonly remarks: readonly Remark[];
}

/** Notes and questions for the reader at places of the file. */
export type Remark =
  | { readonly kind: 'attachments'; readonly application: string }
  | { readonly kind: 'floating' }
  | { readonly kind: 'owner-of-folders' }
  | { readonly kind: 'env-files'; readonly files: readonly string[] }
  | { readonly kind: 'sqlite-without-volume'; readonly file: string }
  | { readonly kind: 'external'; readonly host: string }
  | { readonly kind: 'unseen-address'; readonly server: string | null }
  | { readonly kind: 'doubtful-server'; readonly service: string; readonly checked: boolean }
  | { readonly kind: 'health-check'; readonly service: string; readonly former: 'none' | 'socket' }
  | { readonly kind: 'unread'; readonly files: readonly string[] };

/** The folder of the attachments of projects, and its volume. */
const attachments = '/app/uploads/project_attachments';
const attachmentVolume = 'app_attachments';

/** The application's log folder, which db-init does not need. */
const logFolder = '/app/logs';

/** What db-init needs like the application, besides environment and volumes. */
const sameAsApplication = [
  'profiles',
  'network_mode',
  'external_links',
  'extra_hosts',
  'dns',
  'secrets',
  'configs',
  'user',
  'group_add',
  'userns_mode',
  'security_opt',
] as const;

/**
 * The variables of an address. If the application's file has a whole DATABASE_URL, the others are left out: values in
 * .env with these names are for the server.
 */
const addressVariables =
  /^(?:DATABASE_URL|POSTGRES_\w+|PG(?:HOST|PORT|DATABASE|USER|PASSWORD|TARGETSESSIONATTRS))$|^DATABASE_URL_FILE$/;

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
 * Makes the override.
 * @param settings the names of all settings of db-init, in the order of the file
 */
export function planOverride(
  installation: Installation,
  files: ComposeFiles,
  { image, settings }: { readonly image: string; readonly settings: readonly string[] },
): Override {
  const { applications, address } = installation;
  const [application] = applications;
  const remarks: Remark[] = files.unread.length > 0 ? [{ kind: 'unread', files: files.unread }] : [];
  const server = address.kind === 'service' ? address.service : address.kind === 'unseen' ? address.likely : null;
  if (address.kind === 'external') remarks.push({ kind: 'external', host: address.host });
  if (address.kind === 'unseen') remarks.push({ kind: 'unseen-address', server: server?.name ?? null });
  if (address.kind === 'sqlite' && !isMounted(application, address.file)) {
    remarks.push({ kind: 'sqlite-without-volume', file: address.file });
  }
  const volume = isMounted(application, attachments) ? null : freeName(attachmentVolume, files.volumes);
  const added = volume === null ? [] : [`${volume}:${attachments}`];
  if (volume !== null) remarks.push({ kind: 'attachments', application: application.name });
  const { raw, envFiles } = application;
  // db-init needs no socket of the machine, such as Docker's
  const mounts = application.mounts.filter(({ target }) => target !== logFolder && !target.endsWith('.sock'));
  if (raw['user'] === undefined && mounts.some(({ bind }) => bind)) remarks.push({ kind: 'owner-of-folders' });
  const { environment, remarks: ofEnvironment } = environmentOf(installation, settings);
  const others = new Map<string, Record<string, unknown>>();
  for (const service of applications) {
    others.set(service.name, {
      depends_on: { 'db-init': { condition: 'service_completed_successfully' } },
      environment: { TT_SKIP_DB_CLEANUP: 'true' },
      ...(added.length > 0 ? { volumes: added } : {}),
    });
  }
  if (server !== null) {
    const former = server.healthCheck;
    if (!servesPostgres(server)) {
      remarks.push({ kind: 'doubtful-server', service: server.name, checked: former !== null });
    } else if (former === null || asksTheSocket(former)) {
      remarks.push({ kind: 'health-check', service: server.name, former: former === null ? 'none' : 'socket' });
      others.set(server.name, { healthcheck: healthCheck(server) });
    }
  }
  return {
    dbInit: {
      image,
      restart: 'no',
      init: true,
      ...Object.fromEntries(sameAsApplication.filter((key) => raw[key] !== undefined).map((key) => [key, raw[key]])),
      ...(server === null ? {} : { depends_on: { [server.name]: waitFor(server, application) } }),
      ...(address.kind === 'service' && application.links.has(address.host)
        ? { links: [`${address.service.name}:${address.host}`] }
        : {}),
      ...(envFiles.length > 0 ? { env_file: raw['env_file'] } : {}),
      environment,
      ...(mounts.length + added.length > 0 ? { volumes: [...mounts.map(({ written }) => written), ...added] } : {}),
      ...(application.networks.length > 0 ? { networks: application.networks } : {}),
      read_only: true,
      tmpfs: '/tmp',
      stop_grace_period: '30s',
    },
    // compose joins the lists of profiles, so the service would run with each of them
    backups: raw['profiles'] === undefined ? backups : null,
    others,
    volumes: volume === null ? [] : [volume],
    remarks: [...remarks, ...ofEnvironment],
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

/** The settings as the files write them; the others come from .env. */
function environmentOf(
  installation: Installation,
  settings: readonly string[],
): { readonly environment: Readonly<Record<string, string | null>>; readonly remarks: readonly Remark[] } {
  const { applications, dbInit } = installation;
  const [application] = applications;
  const { environment: given, envFiles } = application;
  const named = namesOf(installation);
  const remarks: Remark[] = [];
  // values here, even empty ones, would override those of the env file
  const elsewhere = envFiles.filter((file) => !/^(?:\.\/)?\.env$/.test(file));
  if (elsewhere.length > 0) remarks.push({ kind: 'env-files', files: elsewhere });
  const whole = given.has('DATABASE_URL');
  const environment: Record<string, string | null> = {};
  for (const name of settings) {
    // if db-init is in the files already, it is the reason why the application's own clean-up is off
    const theirs = dbInit !== null && name === 'TT_SKIP_DB_CLEANUP' ? undefined : given.get(name);
    const own = dbInit?.environment.get(name) ?? theirs;
    const asked = elsewhere.length === 0 && !(whole && addressVariables.test(name));
    if (own !== undefined) environment[name] = own;
    else if (named.has(name)) environment[name] = named.get(name) ?? '';
    else if (name === 'TT_ALLOW_NEWER_SCHEMA' && asked && isFloating(application)) {
      remarks.push({ kind: 'floating' });
      environment[name] = '${TT_ALLOW_NEWER_SCHEMA:-true}';
    } else if (asked) environment[name] = `\${${name}:-}`;
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
