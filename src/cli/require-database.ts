import type { Settings } from '../config/config.ts';
import { noDatabase } from '../config/database.ts';
import { Failure } from '../errors/failure.ts';
import type { CommandContext } from './context.ts';

/** Narrows the context of a command that needs a database. @throws Failure `configuration` if none is set */
export function requireDatabase(context: CommandContext<Settings>): CommandContext {
  const { database, ...settings } = context.config;
  if (database === null) throw new Failure({ kind: 'configuration', faults: [noDatabase] });
  return { ...context, config: { ...settings, database } };
}
