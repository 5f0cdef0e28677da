import { readConfig } from '../../src/config/config.ts';
import type { Environment } from '../../src/config/variables.ts';
import { type Commands, commandsFor } from '../../src/report/commands.ts';

/** The commands of the compose files, or of another prefix. @param address what DATABASE_URL says */
export function commandsOf(
  address = 'postgresql://timetracker:timetracker@db:5432/timetracker',
  prefix = 'docker compose run --rm db-init',
  environment: Environment = {},
): Commands {
  return commandsFor(readConfig({ DATABASE_URL: address, TT_COMMAND_PREFIX: prefix, ...environment }, '/app'));
}

export const sqliteAddress = 'sqlite:////data/timetracker.db';
