import type { Migration } from '../src/migration/migration.ts';

export const revision = '006';
export const parents: readonly string[] = ['005'];

/** Adds the company logo to the settings, and the times of start and completion to tasks. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('settings', 'company_logo_filename', "VARCHAR(255) DEFAULT ''");
  await schema.addColumns('tasks', {
    started_at: 'TIMESTAMP',
    completed_at: 'TIMESTAMP',
  });
};
