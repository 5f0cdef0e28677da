import type { Migration } from '../src/migration/migration.ts';

export const revision = '089_allow_auto_entries_no_project';
export const parents: readonly string[] = ['088_salesman_splitting_reports'];

/** Allows automatically recorded time entries without a project and a client. */
export const up: Migration = async ({ context: schema }) => {
  // SQLite databases have no constraint that forbids it.
  if (schema.engine === 'sqlite') return;
  await schema.dropConstraint('time_entries', 'chk_time_entries_project_or_client');
  await schema.addConstraint(
    'time_entries',
    'chk_time_entries_project_or_client',
    "CHECK (project_id IS NOT NULL OR client_id IS NOT NULL OR source = 'auto')",
  );
};
