import { archivePaths } from '../config/config.ts';
import { displayNameOf } from '../database/target-name.ts';
import { type ExitCode, exitCodes } from '../errors/exit-codes.ts';
import { Failure } from '../errors/failure.ts';
import { standardInput } from '../model/archive.ts';
import { streamTexts, summaries } from '../report/command-line.ts';
import { requireConsent } from './consent.ts';
import type { Command, CommandContext } from './context.ts';
import { withDatabase } from './with-database.ts';
import { restoreMessages } from '../report/restore-messages.ts';
import { optionsOfForms, requireForm } from './forms.ts';

const forms = {
  file: {
    usage: 'FILE|- [--dry-run] [--database-only] [--trust-archive] [--set-aside] [--disconnect] [--yes]',
    flags: ['dry-run', 'database-only', 'trust-archive', 'set-aside', 'disconnect', 'yes'],
    named: true,
    run: restoreFile,
  },
  undo: {
    usage: '--undo [--accept-changes] [--disconnect] [--yes]',
    flags: ['undo', 'accept-changes', 'disconnect', 'yes'],
    named: false,
    run: undo,
  },
  drop: { usage: '--drop-former [--yes]', flags: ['drop-former', 'yes'], named: false, run: dropFormer },
};

const facts = optionsOfForms(forms);

export const restoreCommand: Command = {
  name: 'restore',
  summary: summaries.restore,
  ...facts,
  positionals: 1,
  reports: true,
  announced: true,
  once: true,
  async run(context): Promise<ExitCode> {
    const { flags, positionals } = context.arguments;
    const [file = ''] = positionals;
    const form = forms[flags.has('undo') ? 'undo' : flags.has('drop-former') ? 'drop' : 'file'];
    requireForm('restore', form, context.arguments, file, facts.usage);
    await form.run(context, file);
    return exitCodes.healthy;
  },
};

async function restoreFile(context: CommandContext, given: string): Promise<void> {
  if (given === standardInput) return restoreStream(context);
  const { requireArchive } = await import('../archive/find-archive.ts');
  const file = requireArchive(archivePaths(given, context.config.backupFolder, context.workingDirectory));
  return restoreFound(context, file, file);
}

/** Standard input carries the archive, so no question can be asked: consent is required before anything is read. */
async function restoreStream(context: CommandContext): Promise<void> {
  const { flags } = context.arguments;
  const { withReceivedArchive } = await import('./received-archive.ts');
  if (!flags.has('yes') && !flags.has('dry-run')) throw new Failure({ kind: 'usage', message: streamTexts.noQuestion });
  await withReceivedArchive(context, (file) => restoreFound(context, file, standardInput));
}

/** @param name the archive's name in messages */
async function restoreFound(context: CommandContext, file: string, name: string): Promise<void> {
  const { config, log, output } = context;
  const dryRun = context.arguments.flags.has('dry-run');
  const { openMatchingArchive, restore } = await import('../restore/restore.ts');
  const { identify } = await import('../restore/archive-identity.ts');
  const archive = { ...(await openMatchingArchive(file, config)), file: name };
  const databaseOnly = context.arguments.flags.has('database-only');
  const uploads = archive.uploads.length > 0 && !databaseOnly;
  const consent = (): Promise<void> =>
    requireConsent(context, restoreMessages.consent(file, displayNameOf(config.database), { uploads }));
  const request = {
    archive,
    identity: { ...(await identify(file, false)), path: name },
    dryRun,
    databaseOnly,
    consent: dryRun ? null : consent,
  };
  const total = archive.database.size + (databaseOnly ? 0 : archive.uploadBytes);
  const { openProgress, progressLabels } = await import('../report/progress.ts');
  const progress = openProgress({ label: progressLabels.unpacking, total, log, output });
  const whole = { ...restoreContext(context), onBytes: (bytes: number) => progress.add(bytes) };
  await withDatabase(context, 'restore', 'write', (live) => live.withLock(() => restore(request, live, whole))).finally(
    () => progress.end(),
  );
}

async function undo(context: CommandContext): Promise<void> {
  const { undoRestore } = await import('../restore/undo.ts');
  const name = displayNameOf(context.config.database);
  const { flags } = context.arguments;
  const consent = (): Promise<void> => requireConsent(context, restoreMessages.undoConsent(name));
  const request = { acceptChanges: flags.has('accept-changes'), consent: flags.has('yes') ? null : consent };
  await withDatabase(context, 'restore', 'write', (live) =>
    live.withLock(() => undoRestore(request, live, restoreContext(context))),
  );
}

async function dropFormer(context: CommandContext): Promise<void> {
  const { dropFormerDatabases } = await import('../restore/former-database.ts');
  await withDatabase(context, 'restore', 'write', (live) =>
    live.withLock(() => dropFormerDatabases(live, restoreContext(context), (what) => requireConsent(context, what))),
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
