import type { Migration } from '../src/migration/migration.ts';

/** Adds the flag for issues to users that missed it in 077. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('users', 'ui_show_issues', 'BOOLEAN NOT NULL DEFAULT TRUE');
};
