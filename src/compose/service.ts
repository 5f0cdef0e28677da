import { withDefaults } from './interpolation.ts';
import { type Mount, parseMount } from './mount.ts';
import { listOf, mapOf, textOf, type YamlMap } from './yaml.ts';

/** A service of a compose file. Texts are as written in the file, with `${…}` in them. */
export interface Service {
  readonly name: string;
  readonly image: string;
  readonly builds: boolean;
  /** Command and entrypoint, as one text. */
  readonly program: string;
  /** Null: compose takes the variable from its own environment. */
  readonly environment: ReadonlyMap<string, string | null>;
  readonly envFiles: readonly string[];
  /** The variables in its env files; null if one of them was not read. */
  readonly inEnvFiles: ReadonlyMap<string, string> | null;
  readonly unreadEnvFiles: readonly string[];
  /** The variables of `environment` and of the env files that were read. */
  readonly variables: ReadonlyMap<string, string | null>;
  readonly mounts: readonly Mount[];
  readonly volumesFrom: readonly string[];
  /** The mounts that it has from those services. */
  readonly borrowedMounts: readonly Mount[];
  /** The host names under which other containers reach it. */
  readonly hostnames: ReadonlySet<string>;
  /** Aliases that only this service can use: alias → name of the service. */
  readonly links: ReadonlyMap<string, string>;
  /** Published ports. */
  readonly ports: ReadonlySet<string>;
  readonly networkMode: string;
  readonly profiles: readonly string[];
  readonly dependsOn: readonly string[];
  /** The words of its health check; null if it has none, or if it is disabled. */
  readonly healthCheck: string | null;
  readonly networks: readonly string[];
  /** All other keys, unchanged. */
  readonly raw: YamlMap;
}

/** What the env files of a service contain. */
export interface EnvFiles {
  readonly variables: ReadonlyMap<string, string>;
  readonly unread: readonly string[];
}

/**
 * Parses a service whose lists were normalized (`normalizeService`).
 * @param inEnvFiles the variables in its env files, and the names of those that were not read
 */
export function parseService(name: string, raw: YamlMap, { variables: read, unread }: EnvFiles): Service {
  const inEnvFiles = unread.length === 0 ? read : null;
  const environment = Object.entries(mapOf(raw['environment'])).map(
    ([variable, value]) => [variable, value === null ? null : textOf(value)] as const,
  );
  const networks = mapOf(raw['networks']);
  const aliases = Object.values(networks).flatMap((network) => listOf(mapOf(network)['aliases']));
  return {
    name,
    image: textOf(raw['image']) ?? '',
    builds: raw['build'] !== undefined && raw['build'] !== null,
    program: [...listOf(raw['entrypoint']), ...listOf(raw['command'])].map((word) => textOf(word) ?? '').join(' '),
    environment: new Map(environment),
    envFiles: listOf(raw['env_file']).map(envFilePath),
    inEnvFiles,
    unreadEnvFiles: unread,
    variables: new Map([...(inEnvFiles ?? []), ...environment]),
    mounts: listOf(raw['volumes']).map(parseMount),
    volumesFrom: listOf(raw['volumes_from']).map((from) => (textOf(from) ?? '').replace(/:r[ow]$/, '')),
    borrowedMounts: [],
    hostnames: new Set(
      [
        name,
        ...[raw['container_name'], raw['hostname'], ...aliases].map((host) => withDefaults(textOf(host) ?? '')),
      ].filter((host) => host !== ''),
    ),
    links: new Map(listOf(raw['links']).map(parseLink)),
    ports: new Set(listOf(raw['ports']).map(publishedPort)),
    networkMode: withDefaults(textOf(raw['network_mode']) ?? ''),
    profiles: listOf(raw['profiles']).map((profile) => textOf(profile) ?? ''),
    dependsOn: Object.keys(mapOf(raw['depends_on'])),
    healthCheck: healthCheckOf(mapOf(raw['healthcheck'])),
    networks: Object.keys(networks),
    raw,
  };
}

/** The path in an entry of `env_file`: the entry itself, or `path` of the long form. */
export const envFilePath = (written: unknown): string => textOf(written) ?? textOf(mapOf(written)['path']) ?? '';

/** Parses `service:alias`, or `service` alone. */
function parseLink(written: unknown): readonly [string, string] {
  const [service = '', alias = service] = withDefaults(textOf(written) ?? '').split(':');
  return [alias, service];
}

/** The published port of `5433:5432`, `127.0.0.1:5433:5432/tcp`, or the long form. */
function publishedPort(written: unknown): string {
  const short = textOf(written);
  if (short === null) return withDefaults(textOf(mapOf(written)['published']) ?? '');
  return (
    withDefaults(short)
      .replace(/\/\w+$/, '')
      .split(':')
      .at(-2) ?? ''
  );
}

function healthCheckOf({ test, disable }: YamlMap): string | null {
  const words = listOf(test).map((word) => textOf(word) ?? '');
  if (textOf(disable) === 'true' || words.length === 0 || words[0] === 'NONE') return null;
  return words.join(' ');
}
