import type { ComposeFiles } from './compose-file.ts';
import { withDefaults } from './interpolation.ts';
import type { Service } from './service.ts';

/** The application's database, as far as the files show it. */
export type Address =
  /** The database is a service of the same files. */
  | { readonly kind: 'service'; readonly service: Service; readonly host: string }
  | { readonly kind: 'external'; readonly host: string }
  /** @property file absolute, in the container */
  | { readonly kind: 'sqlite'; readonly file: string }
  /** The files do not show it: the address is in an env file, a secret, or the environment. */
  | { readonly kind: 'unseen'; readonly likely: Service | null };

/** What compose files show about a TimeTracker installation. */
export interface Installation {
  /** The application, then other services of the same image. */
  readonly applications: readonly [Service, ...Service[]];
  readonly address: Address;
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
 * Finds the application and its database.
 * @param chosen the name of the application's service, if the owner gave it
 */
export function findInstallation({ services }: ComposeFiles, chosen: string | null): Installation | Unclear {
  const names = services.map(({ name }) => name);
  const others = services.filter((service) => !isDbInit(service));
  const dbInit = services.find(isDbInit) ?? null;
  if (chosen !== null) {
    const application = others.find(({ name }) => name === chosen);
    if (application === undefined) return { kind: 'unclear', candidates: [], services: names };
    return { applications: [application], address: addressOf(application, others), dbInit };
  }
  const scored = others.map((service) => ({ service, likeness: likenessOf(service) }));
  const best = Math.max(...scored.map(({ likeness }) => likeness), 0);
  const top = scored.filter(({ likeness }) => likeness === best && best >= enough).map(({ service }) => service);
  const [application, ...equals] = top;
  if (application === undefined || equals.some((service) => !isSameProgram(service, application))) {
    return { kind: 'unclear', candidates: top.map(({ name }) => name), services: names };
  }
  const workers = others.filter((service) => service !== application && isSameProgram(service, application));
  return { applications: [application, ...workers], address: addressOf(application, others), dbInit };
}

const isDbInit = ({ name, image }: Service): boolean => name === 'db-init' || /db-?init/i.test(withDefaults(image));

/** Two services of one image, or built from the same sources. */
function isSameProgram(one: Service, other: Service): boolean {
  if (one.builds && other.builds) return JSON.stringify(one.raw['build']) === JSON.stringify(other.raw['build']);
  return one.image !== '' && one.image === other.image;
}

const enough = 4;
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

/** How much a service looks like TimeTracker, by the names that its own files and images use. */
function likenessOf(service: Service): number {
  if (isPostgres(service)) return 0;
  const { environment, mounts } = service;
  const targets = new Set(mounts.map(({ target }) => target));
  const address = environment.get('DATABASE_URL') ?? '';
  const signs: readonly (readonly [boolean, number])[] = [
    [/time-?tracker/i.test(withDefaults(service.image)), 4],
    [/time-?tracker|^app$|^web$/i.test(service.name), 1],
    [service.builds, 1],
    [/^(?:postgres|sqlite)/.test(withDefaults(address)), 3],
    [targets.has('/app/app/static/uploads'), 3],
    [targets.has('/data'), 1],
    [/\b(?:flask|gunicorn)\b|\bstart[\w-]*\.(?:py|sh)\b/.test(service.program), 1],
    [true, Math.min(3, knownVariables.filter((variable) => environment.has(variable)).length)],
  ];
  return signs.reduce((sum, [holds, weight]) => sum + (holds ? weight : 0), 0);
}

/** Whether a service is a PostgreSQL server, by its image. */
export function isPostgres({ image }: Service): boolean {
  return /(?:^|\/)(?:postgres|postgis|postgresql|pgvector|pgvecto-rs|paradedb|citus|timescaledb[\w-]*)(?:[:@]|$)/i.test(
    withDefaults(image),
  );
}

function addressOf(application: Service, services: readonly Service[]): Address {
  const { environment, dependsOn } = application;
  const url = withDefaults(environment.get('DATABASE_URL') ?? '');
  const [, file] = /^sqlite:\/\/\/(.+?)(?:\?.*)?$/.exec(url) ?? [];
  if (file !== undefined) return { kind: 'sqlite', file: file.startsWith('/') ? file : `/app/${file}` };
  const hasParts =
    url === '' && ['POSTGRES_HOST', 'POSTGRES_DB', 'POSTGRES_USER'].some((name) => environment.has(name));
  const place = hasParts ? placeInParts(environment) : placeInUrl(url);
  if (place !== null) {
    const service = serverAt(place, application, services);
    return service === null ? { kind: 'external', host: place.host } : { kind: 'service', service, host: place.host };
  }
  const servers = services.filter(isPostgres);
  const waitedFor = servers.filter(({ name }) => dependsOn.includes(name));
  const [likely = null, ...more] = waitedFor.length > 0 ? waitedFor : servers;
  return { kind: 'unseen', likely: more.length > 0 ? null : likely };
}

interface Place {
  readonly host: string;
  readonly port: string;
}

function placeInParts(environment: Service['environment']): Place {
  const valueOf = (name: string): string => withDefaults(environment.get(name) ?? '');
  return { host: valueOf('POSTGRES_HOST') || 'db', port: valueOf('POSTGRES_PORT') || '5432' };
}

/** The first server of an address; null if it names none, or the folder of a socket. */
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

/** The names by which a container reaches the machine that it runs on, or its own network. */
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
 * Whether the service in the address is a PostgreSQL server, by its image or by the variables that such images take.
 */
export function servesPostgres(service: Service): boolean {
  const variables = ['POSTGRES_PASSWORD', 'POSTGRES_PASSWORD_FILE', 'POSTGRES_HOST_AUTH_METHOD', 'POSTGRESQL_PASSWORD'];
  return isPostgres(service) || variables.some((name) => service.environment.has(name));
}

/**
 * Whether the tag of an image may name a newer release later (no tag, `latest`, a single number), or the image is built
 * here.
 */
export function isFloating({ image, builds }: Service): boolean {
  if (builds || image === '') return true;
  const [, tag = 'latest'] = /^[^@]*?(?::([^/@:]+))?(?:@.*)?$/.exec(withDefaults(image)) ?? [];
  return !image.includes('@') && !/^v?\d+\.\d+\.\d+/.test(tag);
}

/** Whether a path in the container is on one of the mounts. */
export function isMounted({ mounts }: Service, path: string): boolean {
  return mounts.some(
    ({ target }) => target !== '' && (path === target || path.startsWith(`${target.replace(/\/$/, '')}/`)),
  );
}
