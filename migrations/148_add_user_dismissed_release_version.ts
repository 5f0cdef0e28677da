import type { Migration } from '../src/migration/migration.ts';

export const revision = '148_add_user_dismissed_release_version';
export const parents: readonly string[] = ['147_add_quote_item_line_kind'];

/** Adds the release whose announcement a user has dismissed. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('users', 'dismissed_release_version', 'VARCHAR(64)');
};
