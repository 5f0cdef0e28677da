import type { Migration } from '../src/migration/migration.ts';

export const revision = '010';
export const parents: readonly string[] = ['009'];

/** Stops all but the newest running timer of each user, and allows only one running timer per user from now on. */
export const up: Migration = async ({ context: schema }) => {
  await schema.run(`
    UPDATE time_entries SET end_time = start_time
    WHERE id IN (
      SELECT id FROM (
        SELECT id, row_number() OVER (PARTITION BY user_id ORDER BY start_time DESC, id DESC) AS age
        FROM time_entries WHERE end_time IS NULL
      ) AS running
      WHERE age > 1
    )`);
  await schema.addIndex('time_entries', ['user_id'], {
    name: 'ux_time_entries_one_active_per_user',
    unique: true,
    where: 'end_time IS NULL',
  });
};
