import type { Migration } from '../src/migration/migration.ts';
import { widenVersionColumn } from '../src/migration/version-column.ts';

export const revision = '096_add_missing_portal_issues_enabled';
export const parents: readonly string[] = ['095_add_missing_ui_show_issues'];

/** Adds the flag for issues in the portal to clients if 048 did not. */
export const up: Migration = async ({ context: schema }) => {
  await widenVersionColumn(schema, 255);
  await schema.addColumn('clients', 'portal_issues_enabled', 'BOOLEAN NOT NULL DEFAULT TRUE');
};
