import type { Migration } from '../src/migration/migration.ts';

export const revision = '095_add_missing_ui_show_issues';
export const parents: readonly string[] = ['094_add_donation_interactions'];

/** Adds the flag for issues to `users` if 077 did not. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('users', 'ui_show_issues', 'BOOLEAN NOT NULL DEFAULT TRUE');
};
