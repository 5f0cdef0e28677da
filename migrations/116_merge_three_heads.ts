import type { Migration } from '../src/migration/migration.ts';

export const revision = '116_merge_three_heads';
export const parents: readonly string[] = [
  '090_add_push_subscriptions',
  '100_gantt_colors_modules',
  '115_add_exclude_weekends',
];

/** Merges 090_add_push_subscriptions, 100_gantt_colors_modules and 115_add_exclude_weekends. */
export const up: Migration = async () => {};
