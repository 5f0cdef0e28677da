import { placesOfArchive } from '../config/config.ts';
import { nameOf } from '../database/target-name.ts';
import { type ExitCode, exitCodes } from '../errors/exit-codes.ts';
import { Failure } from '../errors/failure.ts';
import { standardInput } from '../model/archive.ts';
import { streamTexts, usageTexts, summaries } from '../report/command-line.ts';
import { requireConsent } from './consent.ts';
import type { Command, CommandContext } from './context.ts';
import { withDatabase } from './with-database.ts';
import { restoreMessages } from '../report/restore-messages.ts';

const usage =
  'FILE|- [--dry-run] [--database-only] [--trust-archive] [--set-aside] [--disconnect] [--yes] | --undo [--accept-changes] [--disconnect] [--yes] | --drop-former [--yes]';
const flagsOf = {
  file: ['dry-run', 'database-only', 'trust-archive', 'set-aside', 'disconnect', 'yes'],
  undo: ['undo', 'accept-changes', 'disconnect', 'yes'],
  drop: ['drop-former', 'yes'],
};

export const restoreCommand: Command = {
  name: 'restore',
  summary: summaries.restore,
  usage,
  flags: [...new Set(Object.values(flagsOf).flat())],
  positionals: 1,
  reports: true,
  announced: true,
  once: true,
  async run(context): Promise<ExitCode> {
    const { flags, positionals } = context.arguments;
    const [file] = positionals;
    const verb = flags.has('undo') ? 'undo' : flags.has('drop-former') ? 'drop' : 'file';
    const odd = [...flags].some((flag) => flag !== 'json' && !flagsOf[verb].includes(flag));
    if (odd || (verb === 'file') !== (file !== undefined)) {
      throw new Failure({ kind: 'usage', message: usageTexts.usage(`restore ${usage}`) });
    }
    if (verb === 'undo') await undo(context);
    else if (verb === 'drop') await dropFormer(context);
    else await restoreFile(context, file ?? '');
    return exitCodes.healthy;
  },
};

async function restoreFile(context: CommandContext, given: string): Promise<void> {
  if (given === standardInput) return restoreStream(context);
  const { requireArchive } = await import('../archive/find-archive.ts');
  const file = requireArchive(placesOfArchive(given, context.config.backupFolder, process.cwd()));
  return restoreFound(context, file, file);
}

/** Nobody can be asked where the archive comes from: the consent is wanted before anything is read. */
async function restoreStream(context: CommandContext): Promise<void> {
  const { flags } = context.arguments;
  const { receiving } = await import('./receiving.ts');
  if (!flags.has('yes') && !flags.has('dry-run')) throw new Failure({ kind: 'usage', message: streamTexts.noQuestion });
  await receiving(context, (file) => restoreFound(context, file, standardInput));
}

/** @param name how the archive is called for people */
async function restoreFound(context: CommandContext, file: string, name: string): Promise<void> {
  const { config, log, output } = context;
  const dryRun = context.arguments.flags.has('dry-run');
  const { openMatchingArchive: openFitting, restore } = await import('../restore/restore.ts');
  const { identify } = await import('../restore/archive-identity.ts');
  const archive = { ...(await openFitting(file, config)), file: name };
  const databaseOnly = context.arguments.flags.has('database-only');
  const uploads = archive.uploads.length > 0 && !databaseOnly;
  const consent = (): Promise<void> =>
    requireConsent(context, restoreMessages.consent(file, nameOf(config.database), { uploads }));
  const request = {
    archive,
    identity: { ...(await identify(file, false)), path: name },
    dryRun,
    databaseOnly,
    consent: dryRun ? null : consent,
  };
  const unpacked = [archive.database, ...(databaseOnly ? [] : archive.uploads.map(({ entry }) => entry))];
  const total = unpacked.reduce((sum, { size }) => sum + size, 0);
  const { openProgress } = await import('../report/progress.ts');
  const progress = openProgress({ label: 'Unpacking', total, log, output });
  const whole = { ...restoreContext(context), onBytes: (bytes: number) => progress.add(bytes) };
  await withDatabase(context, 'restore', 'write', (live) => live.withLock(() => restore(request, live, whole))).finally(
    () => progress.end(),
  );
}

async function undo(context: CommandContext): Promise<void> {
  const { undoRestore } = await import('../restore/restore.ts');
  const name = nameOf(context.config.database);
  const { flags } = context.arguments;
  const consent = (): Promise<void> => requireConsent(context, restoreMessages.undoConsent(name));
  const request = { acceptChanges: flags.has('accept-changes'), consent: flags.has('yes') ? null : consent };
  await withDatabase(context, 'restore', 'write', (live) =>
    live.withLock(() => undoRestore(request, live, restoreContext(context))),
  );
}

async function dropFormer(context: CommandContext): Promise<void> {
  const { dropFormerOf } = await import('../restore/drop-former.ts');
  await withDatabase(context, 'restore', 'write', (live) =>
    live.withLock(() => dropFormerOf(live, restoreContext(context), (what) => requireConsent(context, what))),
  );
}

function restoreContext(context: CommandContext) {
  const { flags } = context.arguments;
  return {
    ...context,
    disconnect: flags.has('disconnect'),
    trusted: flags.has('trust-archive'),
    setAside: flags.has('set-aside'),
    onBytes: () => undefined,
  };
}
