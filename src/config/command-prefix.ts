import { existsSync } from 'node:fs';
import { type Environment, readText } from './variables.ts';

/** How db-init is called in the compose file of the README. */
const composePrefix = 'docker compose run --rm db-init';

/** The program in the image, by itself: how its container is started is for TT_COMMAND_PREFIX to say. */
const barePrefix = 'db-init';

/**
 * What stands before the arguments of db-init in every command that a message shows. TT_COMMAND_PREFIX says it; the
 * script `entrypoint` sets it outside of the image, `npm start` too. It is known even where the rest of the
 * configuration cannot be used.
 */
export function commandPrefixOf(environment: Environment): string {
  const given = environment['TT_COMMAND_PREFIX']?.trim() ?? '';
  if (given !== '') return given;
  return runsOutsideCompose(environment) ? barePrefix : composePrefix;
}

/** The names that docker compose's services have here, where commands name them. */
export interface ServiceNames {
  /** The application, and what else runs its image: all are stopped together. */
  readonly application: readonly [string, ...string[]];
  /** Null: the host of DATABASE_URL is the name. */
  readonly database: string | null;
}

/** What TT_APP_SERVICE and TT_DB_SERVICE say; known even where the rest of the configuration cannot be used. */
export function serviceNamesOf(environment: Environment): ServiceNames {
  const [application = 'app', ...others] = wordsOf(environment['TT_APP_SERVICE']);
  const [database = null] = wordsOf(environment['TT_DB_SERVICE']);
  return { application: [application, ...others], database };
}

const wordsOf = (text = ''): readonly string[] => text.split(/[\s,]+/).filter((word) => word !== '');

/**
 * Whether this container cannot be one of docker compose's. Labels are not visible inside. Kubernetes gives every
 * container the address of its own API server; podman, LXC and systemd-nspawn set `container`; and compose puts
 * services on a network of their own, which Docker's resolver at 127.0.0.11 serves (Docker manual, "Networking").
 */
function runsOutsideCompose(environment: Environment): boolean {
  const { KUBERNETES_SERVICE_HOST: cluster = '', container = '' } = environment;
  if (cluster !== '' || container !== '') return true;
  if (!existsSync('/.dockerenv')) return false;
  const resolver = readText('/etc/resolv.conf');
  return resolver.kind === 'text' && !/^nameserver\s+127\.0\.0\.11\s*$/m.test(resolver.text);
}
