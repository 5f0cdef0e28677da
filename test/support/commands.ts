import { readConfig } from '../../src/config/config.ts';
import type { Environment } from '../../src/config/variables.ts';
import { type Commands, commandsFor } from '../../src/report/commands.ts';

/** The commands in messages, with the prefix of the compose files or another one. @param address DATABASE_URL */
export function commandsOf(
  address = 'postgresql://timetracker:timetracker@db:5432/timetracker',
  prefix = 'docker compose run --rm db-init',
  environment: Environment = {},
): Commands {
  return commandsFor(readConfig({ DATABASE_URL: address, TT_COMMAND_PREFIX: prefix, ...environment }, '/app'));
}

export const sqliteAddress = 'sqlite:////data/timetracker.db';
