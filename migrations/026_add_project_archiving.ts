import type { Migration } from '../src/migration/migration.ts';

export const revision = '026';
export const parents: readonly string[] = ['025'];

/** Adds to projects when, by whom and why they were archived. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('projects', {
    archived_at: 'TIMESTAMP',
    archived_by: 'INTEGER',
    archived_reason: 'TEXT',
  });
};
