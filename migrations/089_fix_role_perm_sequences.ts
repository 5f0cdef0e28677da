import type { Migration } from '../src/migration/migration.ts';

export const revision = '089_fix_role_perm_sequences';
export const parents: readonly string[] = ['088_salesman_splitting_reports'];

/**
 * Sets the sequences of roles and permissions after their last row: 030 inserted rows with explicit ids, and 157 takes
 * ids from the sequence. PostgreSQL only: SQLite numbers rows after the last one by itself.
 */
export const up: Migration = async ({ context: schema }) => {
  await schema.continueNumbering('roles');
  await schema.continueNumbering('permissions');
};
