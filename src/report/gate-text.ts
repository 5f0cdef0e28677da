import { collationVersion, type Surroundings } from '../model/database-facts.ts';
import type { Plan, Work } from '../model/plan.ts';
import { describeMatch, listRows } from './adoption-text.ts';
import type { Commands } from './commands.ts';
import type { Log } from './log.ts';
import { describeAttachment } from './differences.ts';
import { count, formatMilliseconds } from './format.ts';
import { describeStrays } from './refusals.ts';

/** Says what the gate is about to do, and why. */
export function announceWork(plan: Work, commands: Commands, log: Log): void {
  const { state } = plan;
  const { pending, adopt } = plan.kind === 'migrate' ? plan : { pending: [], adopt: [] };
  switch (state.kind) {
    case 'fresh':
      if (state.traces.length > 0) {
        log.warn('THE DATABASE IS EMPTY, BUT IT DOES NOT LOOK LIKE A FIRST START:');
        for (const trace of state.traces) log.warn(`  ${trace}`);
        log.warn(
          '  This is what a lost or wrongly mounted database volume looks like. If data should be here, stop the ' +
            'application and look at the volumes. TT_REQUIRE_EXISTING=true refuses an empty database.',
        );
        if (commands.stop !== '') log.warn(commands.stop);
      }
      log.info(`The database is empty: creating the schema of all ${pending.length} revisions at once.`);
      break;
    case 'behind':
      for (const row of new Set(state.revisions.filter((each, place) => state.revisions.indexOf(each) !== place))) {
        log.warn(`alembic_version holds ${row} more than once: one row of it is kept.`);
      }
      log.info(`The database is at ${listRows(state.revisions, ', ')}: ${pending.length} revisions to apply.`, {
        pending,
      });
      break;
    case 'unversioned':
      log.info('The database has no version information: it is compared with the schema of every known revision.');
      if (state.identity.kind === 'match') describeMatch(state.identity).forEach((line) => log.info(`  ${line}`));
      log.info(
        `It is stamped ${listRows(adopt)}, ` +
          (pending.length === 0 ? 'the current revision.' : `and ${count(pending.length, 'revision')} applied.`),
        { adopt, pending },
      );
      break;
    case 'corrupted':
      log.warn(`Detected corrupted database state: ${describeStrays(state.relations)}.`);
      log.warn('They are moved to a quarantine schema; nothing is dropped.');
      for (const trace of state.traces) log.warn(`  ${trace}`);
      break;
    case 'drifted':
      log.warn(`The schema differs in what its revision promises (${state.differences.length}): that is mended.`);
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

/** Says that text sorts in another way than its indexes were built, whatever else there is to do. */
export function announceCollations({ attachments }: Surroundings, log: Log): void {
  for (const attachment of attachments.filter(({ what }) => what.startsWith(collationVersion))) {
    log.warn(describeAttachment(attachment).message);
  }
}

/** Says why there is nothing to do. */
export function announcePass({ state }: Extract<Plan, { kind: 'pass' }>, log: Log): void {
  if (state.kind === 'ahead') {
    log.warn(
      `The database is newer than this image (${listRows(state.unknown, ', ')}). TT_ALLOW_NEWER_SCHEMA lets it pass: ` +
        'its core tables are there, nothing else was checked.',
    );
    return;
  }
  log.info(`The database is healthy and current (${state.revisions.join(', ')}): nothing to do.`);
}

/** What the log says of the work at the schema. */
export const workMessages = {
  healthy: (heads: readonly string[]): string => `The database is healthy and current (${heads.join(', ')}).`,
  broughtToHead: (milliseconds: number): string =>
    `The schema was brought to the head in ${formatMilliseconds(milliseconds)}.`,
  backupNotNoted: (reason: string): string => `Which backup is from before this change could not be noted: ${reason}.`,
  runNotNoted: (reason: string): string => `No note was left in the backup folder (${reason}).`,
};
