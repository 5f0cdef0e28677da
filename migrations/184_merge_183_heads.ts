import type { Migration } from '../src/migration/migration.ts';

/** Merges 183_add_device_token_push_subscription and 183_add_idle_needs_review. */
export const up: Migration = async () => {};
