import { dirname, join } from 'node:path';
import { archiveRejected } from '../../archive/archive-error.ts';
import { readSummary } from '../../backup/database-summary.ts';
import type { Database } from '../../database/database.ts';
import { checkSqliteFile, countDanglingReferences, findUnknownObjects } from '../../database/sqlite/check.ts';
import { requireOwnSideFiles } from '../../database/sqlite/recover-side-files.ts';
import { reasonOf } from '../../errors/failure.ts';
import { applyRevisions, withMigrationFailure } from '../../execution/migrate-and-repair.ts';
import { assess } from '../../assessment/assess.ts';
import type { DatabaseFacts } from '../../model/database-facts.ts';
import type { Work } from '../../model/plan.ts';
import { assessRepair, repairDifferences } from '../../repair/repair.ts';
import { findFaults } from '../../schema/faults.ts';
import { createRowQuestion } from '../../schema/row-questions.ts';
import { loadExpectedSchema } from '../../schema/expected-schema.ts';
import { compareWithManifest, scratchConfig, withConnection } from '../load-and-verify.ts';
import type { RestoreContext, RestoreSource } from '../target.ts';
import { restoreMessages } from '../../report/restore-messages.ts';
import { requireCopySpace } from '../free-space.ts';
import { stepFailed, archiveRefused, archiveUnusable } from '../failures.ts';
import { extractEntry } from '../../archive/entry-content.ts';

/**
 * Unpacks a SQLite database into a new file and checks it. Also copies the logs beside a bare file, and recovers them
 * in the copy.
 * @param database the name for the refusal on a full disk
 * @param depth of the check (`checkSqliteFile`)
 * @throws Failure `archive-rejected`, `restore-refused`, `unreadable`
 */
export async function unpackSqlite(
  source: RestoreSource,
  file: string,
  database: string,
  depth: 'whole' | 'rows',
  context: RestoreContext,
): Promise<void> {
  const { archive } = source;
  const { signal, onBytes, log } = context;
  requireCopySpace(archive.database.size, dirname(file), database);
  await extractEntry(archive.database, file, { signal, onBytes });
  for (const { suffix, entry } of archive.sideFiles) await extractEntry(entry, file + suffix, { signal });
  requireOwnSideFiles(file);
  if (!context.trusted) requireKnownObjects(file, source);
  requireSound(source, file, depth);
  // PostgreSQL does not leave them as they are
  const dangling = depth === 'whole' ? countDanglingReferences(file) : 0;
  if (dangling > 0) log.info(restoreMessages.danglingRows(dangling));
}

/** @throws Failure `archive-rejected` */
function requireSound(source: RestoreSource, file: string, depth: 'whole' | 'rows'): void {
  const fault = checkSqliteFile(file, depth);
  if (fault !== null) throw archiveUnusable(source, { kind: 'database-damaged', message: fault });
}

/**
 * Refuses objects that the following checks would run: a stranger may have put them into the schema. @throws Failure
 * `archive-rejected`
 */
function requireKnownObjects(file: string, source: RestoreSource): void {
  let objects;
  try {
    objects = findUnknownObjects(file);
  } catch (error) {
    throw archiveUnusable(source, { kind: 'database-damaged', message: reasonOf(error) });
  }
  if (objects.length > 0) throw archiveRejected(source.archive.file, { kind: 'unknown-objects', objects });
}

/** A private copy of a SQLite database that has every table and column of the head. */
export interface CopyAtHead {
  readonly file: string;
  readonly facts: DatabaseFacts;
}

/**
 * Makes a copy of the archive's SQLite database and brings it to the head. Constraints that its rows break are left
 * out here: PostgreSQL checks them.
 * @throws Failure `archive-rejected`, `restore-refused`
 */
export async function copyAtHead(
  source: RestoreSource,
  database: string,
  context: RestoreContext,
): Promise<CopyAtHead> {
  const file = join(source.folder, 'timetracker.db');
  await unpackSqlite(source, file, database, 'rows', context);
  return withConnection({ kind: 'sqlite', file }, context, async (copy) => {
    const contents = await copy.read(readSummary);
    const { manifest } = source.archive;
    if (manifest !== null) compareWithManifest(contents, manifest, source);
    context.onLoaded?.(contents);
    await migrateCopy(copy, file, source, context);
    return { file, facts: await copy.observe('whole') };
  });
}

async function migrateCopy(
  database: Database,
  file: string,
  source: RestoreSource,
  context: RestoreContext,
): Promise<void> {
  const given = { ...context, database, config: scratchConfig(context.config, source) };
  const { observation, state, plan } = await assess(database, given.config);
  if (plan.kind === 'pass') return;
  // migrations find rows by indexes
  requireSound(source, file, 'whole');
  // rows that break a constraint do not stop the migration of the copy
  const tolerable = state.kind === 'drifted' && state.older === null ? ({ kind: 'repair', state } as const) : null;
  const work: Work | null = plan.kind === 'migrate' ? plan : tolerable;
  if (work === null || observation.kind !== 'seen') {
    throw plan.kind === 'refuse'
      ? archiveRefused(plan.refusal, database, source)
      : archiveUnusable(source, { kind: 'database-unreadable' });
  }
  const { facts } = observation;
  try {
    await withMigrationFailure(work, given, () =>
      database.transaction(async (transaction) => {
        await applyRevisions(transaction, work, facts, given, { lenient: true });
        const expected = await loadExpectedSchema('sqlite');
        const present = await transaction.observe(createRowQuestion(expected, 'sqlite'));
        const missing = findFaults(expected, present, 'sqlite').filter(
          ({ kind }) => kind === 'missing-table' || kind === 'missing-column',
        );
        if (missing.length === 0) return;
        const repair = { ...expected, facts: present, engine: 'sqlite' } as const;
        const { unsafe } = await assessRepair(transaction, missing, repair);
        if (unsafe.length > 0) {
          const differences = unsafe.map(({ difference }) => difference);
          throw archiveUnusable(source, { kind: 'unrepairable', differences });
        }
        await repairDifferences(transaction, missing, repair);
      }),
    );
  } catch (error) {
    context.signal.throwIfAborted();
    throw stepFailed('migrate-sqlite-copy', error, context.config);
  }
}
