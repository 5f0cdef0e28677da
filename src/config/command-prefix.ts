import { existsSync } from 'node:fs';
import { type Environment, readText } from './variables.ts';

/** How db-init is called with the compose file of the README. */
const composePrefix = 'docker compose run --rm db-init';

/** The program name alone, for containers that compose did not start: TT_COMMAND_PREFIX can name their runtime. */
const barePrefix = 'db-init';

/**
 * The prefix of every db-init command in messages. It comes from TT_COMMAND_PREFIX; outside of the image, the script
 * `entrypoint` and `npm start` set that variable. The prefix is known even if the rest of the configuration is
 * invalid.
 */
export function commandPrefixOf(environment: Environment): string {
  const given = environment['TT_COMMAND_PREFIX']?.trim() ?? '';
  if (given !== '') return given;
  return runsOutsideCompose(environment) ? barePrefix : composePrefix;
}

/** The names of the compose services, for commands in messages. */
export interface ServiceNames {
  /** The application and the other services with its image: all are stopped together. */
  readonly application: readonly [string, ...string[]];
  /** Null if the host of DATABASE_URL is the name. */
  readonly database: string | null;
}

/** Reads TT_APP_SERVICE and TT_DB_SERVICE; works even if the rest of the configuration is invalid. */
export function serviceNamesOf(environment: Environment): ServiceNames {
  const [application = 'app', ...others] = splitNames(environment['TT_APP_SERVICE']);
  const [database = null] = splitNames(environment['TT_DB_SERVICE']);
  return { application: [application, ...others], database };
}

const splitNames = (text = ''): readonly string[] => text.split(/[\s,]+/).filter((word) => word !== '');

/**
 * Whether docker compose cannot have started this container. Labels are not visible inside. Kubernetes gives every
 * container the address of its own API server; podman, LXC and systemd-nspawn set `container`; and compose creates
 * a network for its services, with Docker's resolver at 127.0.0.11 (Docker manual, "Networking").
 */
function runsOutsideCompose(environment: Environment): boolean {
  const { KUBERNETES_SERVICE_HOST: cluster = '', container = '' } = environment;
  if (cluster !== '' || container !== '') return true;
  if (!existsSync('/.dockerenv')) return false;
  const resolver = readText('/etc/resolv.conf');
  return resolver.kind === 'text' && !/^nameserver\s+127\.0\.0\.11\s*$/m.test(resolver.text);
}
