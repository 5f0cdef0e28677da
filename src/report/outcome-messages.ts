import type { Cause } from '../model/cause.ts';
import type { Unsafe } from '../model/repair.ts';
import type { Mismatch } from '../model/difference.ts';
import type { FailedMigration, Problem, Verdict } from '../errors/failure.ts';
import { listRows } from './adoption-text.ts';
import { adviceFor, capitalize, restoring } from './next-steps.ts';
import type { Notice } from './banner.ts';
import { describeCauseOf } from './cause-text.ts';
import type { Commands } from './commands.ts';
import { describeDifference } from './differences.ts';
import { describeUnsafe, shownDifferences, nextSteps } from './repair-text.ts';

/** What is told of a migration that failed. */
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
        'If the reason speaks of something outside of the database, remedy that and start again.',
        adviceFor(commands).save,
        'If it names rows (duplicates, NULLs, missing references), correct them, try without keeping anything, and ' +
          `start again.\n${commands.open}\n${commands.rehearse}\n${commands.gate}`,
      ]),
      'Go back to the former version of the application meanwhile: the database still fits it.',
    ],
  };
}

/** What is told of other work that failed for a reason that lies outside of db-init. */
export function describeFailedWork(
  { database, reason, cause }: Extract<Problem, { kind: 'database-failed' }>,
  commands: Commands,
): Notice {
  const { title, happened, options } = describeCauseOf(cause, commands);
  return {
    title: `${capitalize(title ?? 'the database refused the work')}: ${database}`,
    happened: [`Reason: ${reason}`, ...happened],
    safe: 'the transaction that was open was rolled back: what it had done is not in the database.',
    options: options ?? [`Remedy what the reason says, then start again.\n${commands.gate}`],
  };
}

/** What is told of a schema that is not what its revision promises. */
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
          : [`alembic_version says ${listRows(revisions, ', ') || 'nothing'}, and should say ${heads.join(', ')}.`]),
        ...listDifferences(differences, unsafe),
      ];
  return {
    title: `The schema is not healthy: ${database}`,
    happened,
    safe: 'no row was deleted. The application is not started on this schema.',
    options: [
      adviceFor(commands).save,
      ...(unsafe.length > 0
        ? [nextSteps(unsafe, commands)]
        : [
            `See every difference.\n${commands.differences}`,
            `Start again: what is missing may be added.\n${commands.gate}`,
          ]),
      restoring('Or restore a backup', commands),
      adviceFor(commands).reset,
    ],
  };
}

/** What cannot be mended comes first, with the reason. */
export function listDifferences(differences: readonly Mismatch[], unsafe: readonly Unsafe[] = []): readonly string[] {
  const explained = new Set(unsafe.map(({ difference }) => describeDifference(difference).message));
  const others = differences.map((difference) => describeDifference(difference).message);
  const lines = [...unsafe.map(describeUnsafe), ...others.filter((message) => !explained.has(message))];
  const shown = lines.slice(0, shownDifferences).map((line) => `- ${line}`);
  const more = lines.length - shown.length;
  return more > 0 ? [...shown, `- and ${more} more`] : shown;
}
