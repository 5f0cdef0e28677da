import type { Migration } from '../src/migration/migration.ts';
import { widenVersionColumn } from '../src/migration/version-column.ts';

/** Adds to clients whether the portal shows issues, where 048 did not. */
export const up: Migration = async ({ context: schema }) => {
  await widenVersionColumn(schema, 255);
  await schema.addColumn('clients', 'portal_issues_enabled', 'BOOLEAN NOT NULL DEFAULT TRUE');
};
