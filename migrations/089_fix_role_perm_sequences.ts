import type { Migration } from '../src/migration/migration.ts';

export const revision = '089_fix_role_perm_sequences';
export const parents: readonly string[] = ['088_salesman_splitting_reports'];

/**
 * Makes roles and permissions number themselves after their last row: 030 gave its rows numbers of their own, and
 * 157 lets the sequence number some more. PostgreSQL only: SQLite counts by itself.
 */
export const up: Migration = async ({ context: schema }) => {
  await schema.continueNumbering('roles');
  await schema.continueNumbering('permissions');
};
