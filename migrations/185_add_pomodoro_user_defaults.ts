import type { Migration } from '../src/migration/migration.ts';

export const revision = '185_add_pomodoro_user_defaults';
export const parents: readonly string[] = ['184_merge_183_heads'];

/** Adds the lengths of work and breaks to users. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('users', {
    pomodoro_length: 'INTEGER NOT NULL DEFAULT 25',
    pomodoro_short_break: 'INTEGER NOT NULL DEFAULT 5',
    pomodoro_long_break: 'INTEGER NOT NULL DEFAULT 15',
    pomodoro_long_break_interval: 'INTEGER NOT NULL DEFAULT 4',
  });
};
