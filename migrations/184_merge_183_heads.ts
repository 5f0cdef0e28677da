import type { Migration } from '../src/migration/migration.ts';

export const revision = '184_merge_183_heads';
export const parents: readonly string[] = ['183_add_device_token_push_subscription', '183_add_idle_needs_review'];

/** Merges 183_add_device_token_push_subscription and 183_add_idle_needs_review. */
export const up: Migration = async () => {};
