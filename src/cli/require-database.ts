import type { Settings } from '../config/config.ts';
import { noDatabase } from '../config/database.ts';
import { Failure } from '../errors/failure.ts';
import type { CommandContext } from './context.ts';

/** For a command whose arguments need a database. @throws Failure `configuration` where none is set */
export function requireDatabase(context: CommandContext<Settings>): CommandContext {
  const { database, ...settings } = context.config;
  if (database === null) throw new Failure({ kind: 'configuration', faults: [noDatabase] });
  return { ...context, config: { ...settings, database } };
}
