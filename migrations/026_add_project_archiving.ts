import type { Migration } from '../src/migration/migration.ts';

export const revision = '026';
export const parents: readonly string[] = ['025'];

/** Adds the time, the user and the reason of archiving to projects. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('projects', {
    archived_at: 'TIMESTAMP',
    archived_by: 'INTEGER',
    archived_reason: 'TEXT',
  });
};
