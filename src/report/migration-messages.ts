import type { Work } from '../model/plan.ts';
import type { Commands } from './commands.ts';
import type { Log } from './log.ts';
import { manualRepairOption, describeMatch, listDifferences } from './schema-differences.ts';
import { count, listRows } from './format.ts';
import { describeUnexpectedRelations } from './no-schema-refusals.ts';
import type { Cause } from '../model/cause.ts';
import type { FailedMigration, Problem, Verdict } from '../errors/failure.ts';
import { adviceFor, capitalize, restoreOption } from './next-steps.ts';
import type { Notice } from './banner.ts';
import { describeCauseOf } from './causes.ts';
import { describeTrace } from './state-folder-messages.ts';

/** Says what the gate is about to do, and why. */
export function announceWork(plan: Work, commands: Commands, log: Log): void {
  const { state } = plan;
  const { pending, adopt } = plan.kind === 'migrate' ? plan : { pending: [], adopt: [] };
  switch (state.kind) {
    case 'fresh':
      if (state.traces.length > 0) {
        log.warn('THE DATABASE IS EMPTY, BUT IT DOES NOT LOOK LIKE A FIRST START:');
        for (const trace of state.traces) log.warn(`  ${describeTrace(trace)}`);
        log.warn(
          '  This is what a lost or wrongly mounted database volume looks like. If your data should be here, stop the ' +
            'application and check the volumes. With TT_REQUIRE_EXISTING=true, db-init refuses an empty database.',
        );
        if (commands.stop !== '') log.warn(commands.stop);
      }
      log.info(`The database is empty: creating the schema of all ${pending.length} revisions at once.`);
      break;
    case 'behind':
      for (const row of new Set(state.revisions.filter((each, place) => state.revisions.indexOf(each) !== place))) {
        log.warn(`alembic_version contains ${row} more than once: one of these rows is kept.`);
      }
      if (pending.length === 0 && new Set(state.revisions).size > 1) {
        log.warn(
          `alembic_version contains ${listRows(state.revisions, ', ')}: the rows of earlier revisions are removed. If somebody ` +
            'has loaded a dump into this database while it had tables, check that the rows of the dump are here.',
        );
      }
      log.info(`The database is at ${listRows(state.revisions, ', ')}: ${pending.length} revisions to apply.`, {
        pending,
      });
      break;
    case 'unversioned':
      log.info('The database has no version information. db-init compares it with the schema of every known revision.');
      if (state.identity.kind === 'match') describeMatch(state.identity).forEach((line) => log.info(`  ${line}`));
      log.info(
        `db-init stamps it with ${listRows(adopt)}, ` +
          (pending.length === 0 ? 'the current revision.' : `and applies ${count(pending.length, 'revision')}.`),
        { adopt, pending },
      );
      break;
    case 'corrupted':
      log.warn(`Detected corrupted database state: ${describeUnexpectedRelations(state.relations)}.`);
      log.warn('db-init moves them to a quarantine schema. Nothing is dropped.');
      for (const trace of state.traces) log.warn(`  ${describeTrace(trace)}`);
      break;
    case 'drifted':
      log.warn(
        `The schema differs from its revision (${count(state.differences.length, 'difference')}). db-init repairs it.`,
      );
      break;
    case 'current':
    case 'partial':
    case 'ahead':
    case 'foreign':
    case 'elsewhere':
    case 'interrupted':
    case 'unreadable':
      throw new Error(`nothing to migrate in the state ${state.kind}`);
  }
}

export function describeFailedMigration(
  { revision, applied, remaining, reason }: FailedMigration,
  cause: Cause,
  commands: Commands,
): Notice {
  const { title, happened, options } = describeCauseOf(cause, commands);
  const what = revision === null ? 'The migration failed' : `Migration ${revision} failed`;
  return {
    title: title === null ? what : `${what}: ${title}`,
    happened: [
      `Reason: ${reason}`,
      ...happened,
      `Applied before it and rolled back: ${applied.length}. Not run: ${remaining.length}.`,
    ],
    safe: 'everything ran in one transaction and was rolled back: the database is exactly as it was.',
    options: [
      ...(options ?? [
        'If the reason is outside the database, correct that and start again.',
        adviceFor(commands).save,
        'If the reason names rows (duplicates, NULLs, missing references), correct them, rehearse the migration, and ' +
          `start again.\n${commands.open}\n${commands.rehearse}\n${commands.gate}`,
      ]),
      'Until then, you can start the former version of the application: the database still has its schema.',
    ],
  };
}

/** The notice for other work that failed for a reason outside db-init. */
export function describeFailedWork(
  { database, reason, cause }: Extract<Problem, { kind: 'database-failed' }>,
  commands: Commands,
): Notice {
  const { title, happened, options } = describeCauseOf(cause, commands);
  return {
    title: `${capitalize(title ?? 'the database refused the work')}: ${database}`,
    happened: [`Reason: ${reason}`, ...happened],
    safe: 'the open transaction was rolled back, so its changes are not in the database.',
    options: options ?? [`Correct what the reason names, then start again.\n${commands.again()}`],
  };
}

/** The notice for a schema that failed the verification. */
export function describeVerdict(
  database: string,
  { versionTableMissing, revisions, heads, differences, unsafe = [] }: Verdict,
  commands: Commands,
): Notice {
  const happened = versionTableMissing
    ? [
        'WARNING: alembic_version table missing after migrations!',
        'Migrations reported success but alembic_version table was not created.',
        'This indicates migrations did not actually run or were rolled back.',
      ]
    : [
        ...(revisions.join() === heads.join()
          ? []
          : [
              `alembic_version contains ${listRows(revisions, ', ') || 'nothing'}, but should contain ${heads.join(', ')}.`,
            ]),
        ...listDifferences(differences, unsafe),
      ];
  return {
    title: `The schema is not healthy: ${database}`,
    happened,
    safe: 'no row was deleted. The application does not start on this schema.',
    options: [
      adviceFor(commands).save,
      ...(unsafe.length > 0
        ? [manualRepairOption(unsafe, commands)]
        : [
            `See every difference.\n${commands.differences}`,
            `Start again: db-init adds missing parts if that is safe.\n${commands.gate}`,
          ]),
      restoreOption('Or restore a backup', commands),
      adviceFor(commands).reset,
    ],
  };
}
