import type { Migration } from '../src/migration/migration.ts';

/** Adds to workday sessions when somebody confirmed that they were closed automatically. Nobody has yet. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('workday_sessions', 'auto_close_confirmed_at', 'TIMESTAMP');
};
