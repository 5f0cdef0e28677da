import type { ComposeFiles } from './compose-file.ts';
import { withDefaults } from './interpolation.ts';
import type { Service } from './service.ts';

/** The application's database according to the files. */
export type Address =
  /** The database is a service of the same files. */
  | { readonly kind: 'service'; readonly service: Service; readonly host: string }
  | { readonly kind: 'external'; readonly host: string }
  /** @property file absolute, in the container */
  | { readonly kind: 'sqlite'; readonly file: string }
  /**
   * The files do not contain the address.
   * @property likely the PostgreSQL server that the application probably uses
   * @property given whether the address is in a place that was not read: an env file, a secret, a variable
   */
  | { readonly kind: 'unseen'; readonly likely: Service | null; readonly given: boolean };

/** A variable of the application that has a part of the address, and whose name is not a setting of db-init. */
export interface Translation {
  readonly variable: string;
  /** The name of db-init's setting. */
  readonly setting: string;
  readonly value: string;
  /** Whether it may be a password that is only in an env file: it is not written into the override. */
  readonly hidden: boolean;
}

/** What compose files show about a TimeTracker installation. */
export interface Installation {
  /** The application, then other services of the same image. */
  readonly applications: readonly [Service, ...Service[]];
  readonly address: Address;
  readonly translations: readonly Translation[];
  /** Services of other images that also look like TimeTracker, or that use the same database. */
  readonly similar: readonly Service[];
  /** Services that look like TimeTracker and have another database: installations of their own. */
  readonly separate: readonly Service[];
  /** db-init, if it was added to the files already. */
  readonly dbInit: Service | null;
}

/** The application cannot be identified: several services look like it, or none does. */
export interface Unclear {
  readonly kind: 'unclear';
  readonly candidates: readonly string[];
  readonly services: readonly string[];
}

/**
 * Finds the application and its database, or says why it cannot tell.
 * @param chosen the name of the application's service; null if the operator named none
 */
export function findInstallation({ services }: ComposeFiles, chosen: string | null): Installation | Unclear {
  const names = services.map(({ name }) => name);
  const others = services.filter((service) => !isDbInit(service));
  const dbInit = services.find(isDbInit) ?? null;
  const scored = others.map((service) => ({ service, similarity: similarityOf(service) }));
  const likely = scored.filter(({ similarity }) => similarity >= minSimilarity);
  const application = chosen === null ? mostLikely(likely) : others.find(({ name }) => name === chosen);
  if (application === undefined) return { kind: 'unclear', candidates: [], services: names };
  if ('candidates' in application) return { ...application, services: names };

  const translations = translationsOf(application);
  const address = addressOf(application, translations, others);
  const server = address.kind === 'service' ? address.service : null;
  const related = others.filter(
    (service) =>
      service !== application &&
      service !== server &&
      !isPostgres(service) &&
      !application.volumesFrom.includes(service.name) &&
      (isSameProgram(service, application) ||
        likely.some((other) => other.service === service) ||
        hasAddressOf(service, application)),
  );
  const separate = related.filter((service) => hasOtherDatabase(service, application));
  const same = related.filter((service) => !separate.includes(service));
  return {
    applications: [application, ...same.filter((service) => isSameProgram(service, application))],
    address,
    translations,
    similar: same.filter((service) => !isSameProgram(service, application)),
    separate,
    dbInit,
  };
}

/** The service that looks most like TimeTracker; several, if they are different programs or have different databases. */
function mostLikely(
  scored: readonly { readonly service: Service; readonly similarity: number }[],
): Service | Pick<Unclear, 'kind' | 'candidates'> | undefined {
  const best = Math.max(...scored.map(({ similarity }) => similarity));
  const top = scored.filter(({ similarity }) => similarity === best).map(({ service }) => service);
  const [first, ...equals] = top;
  if (first === undefined) return undefined;
  return equals.every((service) => isSameProgram(service, first) && !hasOtherDatabase(service, first))
    ? first
    : { kind: 'unclear', candidates: top.map(({ name }) => name) };
}

function hasAddressOf({ variables }: Service, application: Service): boolean {
  const address = application.variables.get('DATABASE_URL') ?? null;
  return address !== null && variables.get('DATABASE_URL') === address;
}

/** Whether the addresses of two services are known, and name different databases. */
function hasOtherDatabase(one: Service, other: Service): boolean {
  const [first, second] = [one, other].map(({ variables }) => databaseIn(variables.get('DATABASE_URL') ?? ''));
  return first !== '' && second !== '' && first !== second;
}

/** An address without driver, user, default port and parameters. */
function databaseIn(address: string): string {
  return withDefaults(address)
    .replace(/^(postgres|sqlite)\w*(?:\+\w+)?:\/\/(?:.*@)?/, '$1://')
    .replace(/\?.*$/, '')
    .replace(/:5432(?=\/)/, '');
}

const isDbInit = (service: Service): boolean => service.name === 'db-init' || isImageOfDbInit(service);

/** Whether the image of a service is db-init, by its name or by a variable such as `${DB_INIT_IMAGE}`. */
export const isImageOfDbInit = ({ image }: Service): boolean => /db[-_]?init/i.test(image);

/** Whether two services have the same image, or are built from the same sources. */
function isSameProgram(one: Service, other: Service): boolean {
  if (one.builds && other.builds) return JSON.stringify(one.raw['build']) === JSON.stringify(other.raw['build']);
  return one.image !== '' && one.image === other.image;
}

const minSimilarity = 4;
const knownVariables = [
  'FLASK_ENV',
  'FLASK_APP',
  'SECRET_KEY',
  'ADMIN_USERNAMES',
  'ALLOW_SELF_REGISTER',
  'SINGLE_ACTIVE_TIMER',
  'ROUNDING_MINUTES',
  'IDLE_TIMEOUT_MINUTES',
  'UPLOAD_FOLDER',
];

/** Scores how much a service looks like TimeTracker, by the names in its compose files and images. */
function similarityOf(service: Service): number {
  if (isPostgres(service)) return 0;
  const { variables, mounts } = service;
  const targets = new Set(mounts.map(({ target }) => target));
  const address = variables.get('DATABASE_URL') ?? '';
  const signs: readonly (readonly [boolean, number])[] = [
    [/time-?tracker/i.test(withDefaults(service.image)), 4],
    [/time-?tracker|^app$|^web$/i.test(service.name), 1],
    [service.builds, 1],
    [/^(?:postgres|sqlite)/.test(withDefaults(address)), 3],
    [targets.has('/app/app/static/uploads'), 3],
    [targets.has('/data'), 1],
    [/\b(?:flask|gunicorn)\b|\bstart[\w-]*\.(?:py|sh)\b/.test(service.program), 1],
    [true, Math.min(3, knownVariables.filter((variable) => variables.has(variable)).length)],
  ];
  return signs.reduce((sum, [holds, weight]) => sum + (holds ? weight : 0), 0);
}

/** Whether a service is a PostgreSQL server, by the last part of the name of its image. */
export function isPostgres({ image }: Service): boolean {
  const [, name = ''] = /([^/:@]*)(?::[^/@]*)?(?:@.*)?$/.exec(withDefaults(image)) ?? [];
  return serverWords.test(name) && !toolWords.test(name);
}

const serverWords =
  /(?:^|[-_.])(?:postgres|postgis|postgresql|pgvector|pgvecto|vchord|pgautoupgrade|paradedb|citus|timescaledb|spilo)(?:$|[-_.\d])/i;
/** Names of tools for a PostgreSQL server, and of the application itself. */
const toolWords = /time-?tracker|export|backup|dump|admin|bouncer|pool|proxy|metrics|operator|client|migrat/i;

const translated: readonly (readonly [setting: string, variables: RegExp])[] = [
  ['DATABASE_URL', /^(?:SQLALCHEMY_DATABASE_URI|(?:DATABASE|DB|POSTGRES|POSTGRESQL|PG)_UR[IL])$/],
  ['POSTGRES_HOST', /^(?:DB|DATABASE|POSTGRES|POSTGRESQL|PG|SQL)_(?:HOST|HOSTNAME|SERVER|ADDRESS)$/],
  ['POSTGRES_PORT', /^(?:DB|DATABASE|POSTGRES|POSTGRESQL|PG|SQL)_PORT$/],
  ['POSTGRES_DB', /^(?:DB|DATABASE|POSTGRES|POSTGRESQL|PG|SQL)_(?:NAME|DATABASE|DB)$/],
  ['POSTGRES_USER', /^(?:DB|DATABASE|POSTGRES|POSTGRESQL|PG|SQL)_(?:USER|USERNAME)$/],
  ['POSTGRES_PASSWORD', /^(?:DB|DATABASE|POSTGRES|POSTGRESQL|PG|SQL)_(?:PASSWORD|PASS)$/],
];

/** The variables of a database address that db-init reads. */
const known = /^(?:DATABASE_URL|POSTGRES_(?:HOST|DB|USER)|PGHOST)(?:_FILE)?$/;

/** The parts of an address in variables that db-init does not read; empty if there is one that it reads. */
function translationsOf({ environment, variables }: Service): readonly Translation[] {
  if ([...variables.keys()].some((name) => known.test(name))) return [];
  return translated.flatMap(([setting, names]) => {
    const variable = [...variables.keys()].find((name) => names.test(name));
    if (variable === undefined || variables.has(setting)) return [];
    const hidden = !environment.has(variable) && (setting === 'DATABASE_URL' || setting === 'POSTGRES_PASSWORD');
    return [{ variable, setting, value: variables.get(variable) ?? '', hidden }];
  });
}

function addressOf(application: Service, translations: readonly Translation[], services: readonly Service[]): Address {
  const variables = new Map([
    ...application.variables,
    ...translations.map(({ setting, value }) => [setting, value] as const),
  ]);
  const url = withDefaults(variables.get('DATABASE_URL') ?? '');
  const [, file] = /^sqlite:\/\/\/(.+?)(?:\?.*)?$/.exec(url) ?? [];
  if (file !== undefined) return { kind: 'sqlite', file: file.startsWith('/') ? file : `/app/${file}` };
  const hasParts =
    url === '' && ['POSTGRES_HOST', 'POSTGRES_DB', 'POSTGRES_USER', 'PGHOST'].some((name) => variables.has(name));
  const place = hasParts ? placeInParts(variables) : placeInUrl(url);
  if (place !== null) {
    const service = serverAt(place, application, services);
    return service === null ? { kind: 'external', host: place.host } : { kind: 'service', service, host: place.host };
  }
  const servers = services.filter(isPostgres);
  const waitedFor = servers.filter(({ name }) => application.dependsOn.includes(name));
  const [likely = null, ...more] = waitedFor.length > 0 ? waitedFor : servers;
  const given = application.inEnvFiles === null || [...variables.keys()].some((name) => known.test(name));
  return { kind: 'unseen', likely: more.length > 0 ? null : likely, given };
}

interface Place {
  readonly host: string;
  readonly port: string;
}

function placeInParts(variables: Service['variables']): Place {
  const valueOf = (name: string): string => withDefaults(variables.get(name) ?? '');
  return {
    host: valueOf('POSTGRES_HOST') || valueOf('PGHOST') || 'db',
    port: valueOf('POSTGRES_PORT') || valueOf('PGPORT') || '5432',
  };
}

/** The first server in a URL; null if there is none, or if the host is the folder of a socket. */
function placeInUrl(url: string): Place | null {
  const [, rest] = /^postgres\w*(?:\+\w+)?:\/\/(?:.*@)?(.*)$/.exec(url) ?? [];
  if (rest === undefined) return null;
  const [authority = '', query = ''] = rest.split('?');
  const [first = ''] = authority.replace(/\/.*$/, '').split(',');
  const [, bracketed, plain = '', port = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d*))?$/.exec(first) ?? [];
  const parameters = new URLSearchParams(query);
  const [host = ''] = (parameters.get('host') ?? bracketed ?? plain).split(/[,:]/);
  if (host === '' || host.startsWith('/')) return null;
  return { host: bracketed ?? host, port: port || (parameters.get('port') ?? '') || '5432' };
}

/** Host names that mean the host machine, or the container itself. */
const thisMachine = /^(?:localhost|127(?:\.\d+){3}|::1|(?:host|gateway)\.(?:docker|containers)\.internal)$/i;

function serverAt({ host, port }: Place, application: Service, services: readonly Service[]): Service | null {
  const name = application.links.get(host) ?? host;
  const named = services.find(({ hostnames }) => hostnames.has(name));
  if (named !== undefined || !thisMachine.test(host)) return named ?? null;
  const [, neighbour] = /^service:(.+)$/.exec(application.networkMode) ?? [];
  const [found, ...more] = services.filter((service) => {
    if (!isPostgres(service)) return false;
    return service.name === neighbour || service.networkMode === 'host' || service.ports.has(port);
  });
  return found === undefined || more.length > 0 ? null : found;
}

/**
 * Whether the service in the address is a PostgreSQL server, by its image or by the variables that such images read.
 */
export function servesPostgres(service: Service): boolean {
  const variables = ['POSTGRES_PASSWORD', 'POSTGRES_PASSWORD_FILE', 'POSTGRES_HOST_AUTH_METHOD', 'POSTGRESQL_PASSWORD'];
  return isPostgres(service) || variables.some((name) => service.variables.has(name));
}

/**
 * Whether the tag of an image may point to a newer release later (no tag, `latest`, a single number), or the image is
 * built from sources.
 */
export function isFloating({ image, builds }: Service): boolean {
  if (builds || image === '') return true;
  const [, tag = 'latest'] = /^[^@]*?(?::([^/@:]+))?(?:@.*)?$/.exec(withDefaults(image)) ?? [];
  return !image.includes('@') && !/^v?\d+\.\d+\.\d+/.test(tag);
}

/** Whether a path in the container is on one of the mounts. */
export function isMounted({ mounts, borrowedMounts }: Service, path: string): boolean {
  return [...mounts, ...borrowedMounts].some(
    ({ target }) => target !== '' && (path === target || path.startsWith(`${target.replace(/\/$/, '')}/`)),
  );
}
