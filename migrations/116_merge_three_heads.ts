import type { Migration } from '../src/migration/migration.ts';

/** Merges 090_add_push_subscriptions, 100_gantt_colors_modules and 115_add_exclude_weekends. */
export const up: Migration = async () => {};
