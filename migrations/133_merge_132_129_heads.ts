import type { Migration } from '../src/migration/migration.ts';

export const revision = '133_merge_132_129_heads';
export const parents: readonly string[] = ['132_add_timesheet_governance_and_time_off', '129_add_task_tags'];

/** Merges 132_add_timesheet_governance_and_time_off and 129_add_task_tags. */
export const up: Migration = async () => {};
