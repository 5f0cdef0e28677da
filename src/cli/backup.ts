import { basename } from 'node:path';
import type { DatabaseSummary } from '../backup/database-summary.ts';
import type { VerifiedArchive } from '../backup/verify.ts';
import { archivePaths, type Settings } from '../config/config.ts';
import { wholeNumber } from '../config/variables.ts';
import { displayNameOf, namesOf } from '../database/target-name.ts';
import { type ExitCode, exitCodes } from '../errors/exit-codes.ts';
import { Failure } from '../errors/failure.ts';
import { standardInput } from '../model/archive.ts';
import {
  describeListed,
  describeMade,
  describeNewest,
  describeVerified,
  renderArchives,
  renderNewest,
  renderProof,
  renderVerified,
  type RestoreProof,
} from '../report/backup-list.ts';
import { unfitSince, backupMessages } from '../report/backup-messages.ts';
import { streamTexts, usageTexts, summaries } from '../report/command-line.ts';
import type { Progress } from '../report/progress.ts';
import type { Command, CommandArguments, CommandContext } from './context.ts';
import { withDatabase } from './with-database.ts';
import { requireDatabase } from './require-database.ts';
import { optionsOfForms, type Form, findForm, misuse, requireForm } from './forms.ts';

type BackupContext = CommandContext<Settings>;

/** What can be done with backups. */
const forms = {
  create: {
    usage: 'create [--output PATH|-] [--keep N] [--since TIME]',
    options: ['output', 'keep', 'since'],
    named: false,
    run: create,
  },
  list: { usage: 'list', named: false, run: list },
  verify: {
    usage: 'verify FILE|- [--prove [--trust-archive]]',
    flags: ['prove', 'trust-archive'],
    named: true,
    run: verify,
  },
  schedule: {
    usage: 'schedule [--cron LINE] [--keep N] [--check]',
    flags: ['check'],
    options: ['cron', 'keep'],
    named: false,
    run: schedule,
  },
  prune: { usage: 'prune --keep N', options: ['keep'], named: false, run: prune },
};

export const backupCommand: Command = {
  name: 'backup',
  summary: summaries.backup,
  ...optionsOfForms(forms),
  positionals: 2,
  database: 'optional',
  usesDatabase: ({ positionals: [word = ''], flags }) => /^(?:create|prune)$/.test(word) || flags.has('prove'),
  announced: ['create', 'prune', 'verify'],
  once: ['create', 'list', 'prune', 'verify'],
  writesToOutput,
  run(context) {
    const [word, file = ''] = context.arguments.positionals;
    const form = findForm('backup', forms, word);
    requireForm('backup', form, context.arguments, file);
    return form.run(context, file);
  },
};

/** Whether standard output receives an archive. */
function writesToOutput({ positionals: [verb], options }: CommandArguments): boolean {
  return verb === 'create' && options.get('output') === '-';
}

/** The value of `--keep`; null without it. @throws Failure `usage` */
function keepOf({ arguments: { options } }: BackupContext, form: Form): number | null {
  const text = options.get('keep');
  if (text === undefined) return null;
  const keep = wholeNumber(text, 1, 999_999_999);
  if (keep !== undefined) return keep;
  const message = usageTexts.unfitKeep(`backup ${form.usage}`);
  throw new Failure({ kind: 'usage', message });
}

async function create(given: BackupContext): Promise<ExitCode> {
  const keep = keepOf(given, forms.create);
  const context = requireDatabase(given);
  if (writesToOutput(given.arguments)) return createStream(context);
  const since = sinceOf(context);
  const { destinationOf } = await import('./backup-output.ts');
  const destination = await destinationOf(context);
  const { makeManualBackup, requireDatabaseFile } = await import('../backup/manual.ts');
  requireDatabaseFile(context.config);
  const started = performance.now();
  const backup = await withDatabase(context, 'backup', 'write', (database) =>
    makeManualBackup({ ...context, database }, { destination, keep, since }),
  );
  const { path, size: bytes } = backup;
  context.recorder.step({ kind: 'backup', path, bytes, milliseconds: performance.now() - started });
  context.output.result('', describeMade(backup));
  return exitCodes.healthy;
}

/** The value of `--since`; null without it. @throws Failure `usage` */
function sinceOf({ arguments: { options } }: BackupContext): Date | null {
  const text = options.get('since');
  if (text === undefined) return null;
  const time = new Date(/^\d{4}-\d\d-\d\dT.*(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? text : Number.NaN);
  if (Number.isNaN(time.getTime())) throw new Failure({ kind: 'usage', message: unfitSince });
  return time;
}

async function schedule(given: BackupContext): Promise<ExitCode> {
  const keep = keepOf(given, forms.schedule);
  const context = requireDatabase(given);
  const { checkSchedule, scheduleBackups } = await import('./backup-schedule.ts');
  if (context.arguments.flags.has('check')) return checkSchedule(context);
  if (context.arguments.flags.has('json')) throw misuse('backup', forms.schedule.usage);
  return scheduleBackups(context, keep);
}

/** Writes the archive to standard output, for `--output -`. */
async function createStream(context: CommandContext): Promise<ExitCode> {
  const refuse = (message: string): Failure => new Failure({ kind: 'usage', message });
  if (context.arguments.flags.has('json')) throw refuse(streamTexts.noJson);
  if (['keep', 'since'].some((option) => context.arguments.options.has(option))) throw refuse(streamTexts.noKeep);
  const { archiveOutput } = await import('./standard-streams.ts');
  const output = archiveOutput();
  const { requireDatabaseFile, streamManualBackup } = await import('../backup/manual.ts');
  requireDatabaseFile(context.config);
  await withDatabase(context, 'backup', 'write', (database) => streamManualBackup({ ...context, database }, output));
  return exitCodes.healthy;
}

async function list({ config, output }: BackupContext): Promise<ExitCode> {
  const { listArchives } = await import('../backup/list.ts');
  const { findNewestBackup } = await import('../backup/retention.ts');
  const archives = await listArchives(config);
  const { backupFolder: folder } = config;
  const newest = await findNewestBackup(folder, config.database && namesOf(config.database));
  const text = renderArchives(folder, archives) + (archives.length === 0 ? '' : renderNewest(newest));
  output.result(text, { folder, backups: archives.map(describeListed), lastProven: describeNewest(newest) });
  return exitCodes.healthy;
}

async function prune(given: BackupContext): Promise<ExitCode> {
  const { output } = given;
  const keep = keepOf(given, forms.prune);
  if (keep === null) throw misuse('backup', forms.prune.usage);
  const context = requireDatabase(given);
  const { config, log } = context;
  const { pruneArchives } = await import('../backup/retention.ts');
  const { backupFolder: folder } = config;
  const database = displayNameOf(config.database);
  const rule = { folder, kind: 'manual', names: namesOf(config.database), keep } as const;
  const removed: string[] = [];
  const kept = await pruneArchives(
    rule,
    (path) => verified(path, context),
    (path) => {
      removed.push(path);
      log.info(backupMessages.removed(path));
    },
  );
  log.info(backupMessages.pruned(removed.length, kept, { database, folder }));
  output.result('', { folder, database, removed, kept });
  return exitCodes.healthy;
}

async function verify(context: BackupContext, file: string): Promise<ExitCode> {
  if (file === standardInput) {
    const { withReceivedArchive } = await import('./received-archive.ts');
    return withReceivedArchive(context, (received) => verifyFound(context, received, standardInput));
  }
  const { requireArchive } = await import('../archive/find-archive.ts');
  const found = requireArchive(archivePaths(file, context.config.backupFolder, context.workingDirectory));
  return verifyFound(context, found, found);
}

/** @param name the archive's name in messages */
async function verifyFound(context: BackupContext, file: string, name: string): Promise<ExitCode> {
  const { output, arguments: given } = context;
  const found = { ...(await verified(file, context)), file: name };
  const restored = given.flags.has('prove') ? await proveByRestoring(requireDatabase(context), file) : null;
  const proof = restored === null ? '' : renderProof(restored);
  output.result(renderVerified(found) + proof, { ...describeVerified(found), restored });
  return exitCodes.healthy;
}

/** Restores the archive's database beside the live one, migrates it to the head, and drops it. @returns what it held */
async function proveByRestoring(context: CommandContext, file: string): Promise<RestoreProof> {
  const { openMatchingArchive, restore } = await import('../restore/restore.ts');
  const { identify } = await import('../restore/archive-identity.ts');
  const archive = await openMatchingArchive(file, context.config);
  const request = { archive, identity: await identify(file, false), dryRun: true, databaseOnly: true, consent: null };
  let rows: RestoreProof['rows'] = null;
  const given = {
    ...context,
    disconnect: false,
    trusted: context.arguments.flags.has('trust-archive'),
    onBytes: () => undefined,
    onLoaded: (contents: Pick<DatabaseSummary, 'rows'>) => void ({ rows } = contents),
  };
  await withDatabase(context, 'backup', 'write', (live) => live.withLock(() => restore(request, live, given)));
  return { rows };
}

/** @throws Failure `archive-rejected` */
async function verified(path: string, { config, output, log, signal }: BackupContext): Promise<VerifiedArchive> {
  const { verifyBackup } = await import('../backup/verify.ts');
  const { openProgress, progressLabels } = await import('../report/progress.ts');
  let progress: Progress | null = null;
  try {
    return await verifyBackup(path, {
      config,
      signal,
      onBytes(done, total) {
        progress ??= openProgress({ label: progressLabels.reading(basename(path)), total, log, output });
        progress.to(done);
      },
    });
  } finally {
    end(progress);
  }
}

// a separate function, because the compiler does not see that a callback sets the variable
const end = (progress: Progress | null): void => progress?.end();
