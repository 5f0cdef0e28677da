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
