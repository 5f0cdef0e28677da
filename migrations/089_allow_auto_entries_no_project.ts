import type { Migration } from '../src/migration/migration.ts';

export const revision = '089_allow_auto_entries_no_project';
export const parents: readonly string[] = ['088_salesman_splitting_reports'];

/** Lets time entries that were recorded automatically go without project and client. */
export const up: Migration = async ({ context: schema }) => {
  // On SQLite nothing has ever forbidden it.
  if (schema.engine === 'sqlite') return;
  await schema.dropConstraint('time_entries', 'chk_time_entries_project_or_client');
  await schema.addConstraint(
    'time_entries',
    'chk_time_entries_project_or_client',
    "CHECK (project_id IS NOT NULL OR client_id IS NOT NULL OR source = 'auto')",
  );
};
