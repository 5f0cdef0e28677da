import type { Migration } from '../src/migration/migration.ts';

/** Merges 132_add_timesheet_governance_and_time_off and 129_add_task_tags. */
export const up: Migration = async () => {};
