import type { Migration } from '../src/migration/migration.ts';

export const revision = '166_add_slack_user_id';
export const parents: readonly string[] = ['165_add_missed_clock_in_notifications'];

/** Links users to their Slack accounts. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('users', 'slack_user_id', 'VARCHAR(50)');
  await schema.addIndex('users', ['slack_user_id'], { name: 'ix_users_slack_user_id', unique: true });
};
