import type { Migration } from '../src/migration/migration.ts';

/** Adds to projects when, by whom and why they were archived. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('projects', {
    archived_at: 'TIMESTAMP',
    archived_by: 'INTEGER',
    archived_reason: 'TEXT',
  });
};
