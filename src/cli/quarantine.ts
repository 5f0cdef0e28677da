import type { Quarantine, QuarantineContext } from '../quarantine/entry.ts';
import { exitCodes } from '../errors/exit-codes.ts';
import { Failure } from '../errors/failure.ts';
import { renderEntries } from '../report/quarantine-messages.ts';
import type { Command, CommandContext } from './context.ts';
import { requireConsent } from './consent.ts';
import { withDatabase } from './with-database.ts';
import { summaries, usageTexts } from '../report/command-line.ts';

/** What can be done with quarantines, and what may be said to each. */
const verbs = {
  create: { usage: 'create [--all] [--yes]', flags: ['all', 'yes'], named: false, run: create },
  list: { usage: 'list', flags: [], named: false, run: list },
  restore: { usage: 'restore NAME [--dry-run]', flags: ['dry-run'], named: true, run: restore },
  purge: { usage: 'purge NAME [--yes]', flags: ['yes'], named: true, run: purge },
} as const;

const usage = Object.values(verbs)
  .map((verb) => verb.usage)
  .join(' | ');

export const quarantineCommand: Command = {
  name: 'quarantine',
  summary: summaries.quarantine,
  usage,
  flags: ['all', 'yes', 'dry-run'],
  positionals: 2,
  announced: ['create', 'restore', 'purge'],
  once: true,
  async run(context) {
    const { flags, positionals } = context.arguments;
    const [word = '', name = ''] = positionals;
    if (!isVerb(word)) throw misuse(usage);
    const verb = verbs[word];
    const odd = [...flags].filter((flag) => flag !== 'json' && !verb.flags.some((allowed) => allowed === flag));
    if (odd.length > 0 || verb.named !== (name !== '')) throw misuse(verb.usage);
    await verb.run(context, name);
    return exitCodes.healthy;
  },
};

const isVerb = (word: string): word is keyof typeof verbs => Object.hasOwn(verbs, word);

const misuse = (correct: string): Failure =>
  new Failure({ kind: 'usage', message: usageTexts.usage(`quarantine ${correct}`) });

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

/** The module that does the work is loaded here: the gate, which seldom needs it, must start fast. */
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
