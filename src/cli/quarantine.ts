import type { Quarantine, QuarantineContext } from '../quarantine/entry.ts';
import { exitCodes } from '../errors/exit-codes.ts';
import { renderEntries } from '../report/quarantine-messages.ts';
import type { Command, CommandContext } from './context.ts';
import { requireConsent } from './consent.ts';
import { withDatabase } from './with-database.ts';
import { summaries } from '../report/command-line.ts';
import { optionsOfForms, findForm, requireForm } from './forms.ts';

/** What can be done with quarantines. */
const forms = {
  create: { usage: 'create [--all] [--yes]', flags: ['all', 'yes'], named: false, run: create },
  list: { usage: 'list', named: false, run: list },
  restore: { usage: 'restore NAME [--dry-run]', flags: ['dry-run'], named: true, run: restore },
  purge: { usage: 'purge NAME [--yes]', flags: ['yes'], named: true, run: purge },
};

export const quarantineCommand: Command = {
  name: 'quarantine',
  summary: summaries.quarantine,
  ...optionsOfForms(forms),
  positionals: 2,
  announced: ['create', 'restore', 'purge'],
  once: true,
  async run(context) {
    const [word, name = ''] = context.arguments.positionals;
    const form = findForm('quarantine', forms, word);
    requireForm('quarantine', form, context.arguments, name);
    await form.run(context, name);
    return exitCodes.healthy;
  },
};

async function create(context: CommandContext): Promise<void> {
  const { createQuarantine } = await import('../quarantine/quarantine.ts');
  await withQuarantine(context, 'write', (_, given) => createQuarantine(given, context.arguments.flags.has('all')));
}

async function list(context: CommandContext): Promise<void> {
  const held = await withQuarantine(context, 'read', (quarantine) => quarantine.list());
  context.output.result(renderEntries(held), { quarantines: held });
}

async function restore(context: CommandContext, name: string): Promise<void> {
  if (context.arguments.flags.has('dry-run')) {
    return withQuarantine(context, 'read', (quarantine) => quarantine.restore(name, true));
  }
  return withQuarantine(context, 'write', (quarantine, { database }) =>
    database.withLock(() => quarantine.restore(name, false)),
  );
}

async function purge(context: CommandContext, name: string): Promise<void> {
  await withQuarantine(context, 'write', (quarantine, { database }) => database.withLock(() => quarantine.purge(name)));
}

/** Loads the module on demand: the gate rarely needs it, and must start fast. */
async function withQuarantine<Result>(
  context: CommandContext,
  access: 'read' | 'write',
  work: (quarantine: Quarantine, given: QuarantineContext) => Promise<Result>,
): Promise<Result> {
  const { openQuarantine } = await import('../quarantine/quarantine.ts');
  return withDatabase(context, 'quarantine', access, async (database) => {
    const given = { ...context, database, consent: (what: string) => requireConsent(context, what) };
    return work(await openQuarantine(given), given);
  });
}
