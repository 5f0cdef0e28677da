import type { Migration } from '../src/migration/migration.ts';

export const revision = '028';
export const parents: readonly string[] = ['027'];

/** Creates weekly_time_goals. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('weekly_time_goals', {
    id: 'SERIAL PRIMARY KEY',
    user_id: 'INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE',
    target_hours: 'DOUBLE PRECISION NOT NULL',
    week_start_date: 'DATE NOT NULL',
    week_end_date: 'DATE NOT NULL',
    status: "VARCHAR(20) NOT NULL DEFAULT 'active'",
    notes: 'TEXT',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('weekly_time_goals', ['status'], { name: 'ix_weekly_time_goals_status' });
  await schema.addIndex('weekly_time_goals', ['user_id'], { name: 'ix_weekly_time_goals_user_id' });
  await schema.addIndex('weekly_time_goals', ['user_id', 'week_start_date'], {
    name: 'ix_weekly_time_goals_user_week',
  });
  await schema.addIndex('weekly_time_goals', ['week_start_date'], { name: 'ix_weekly_time_goals_week_start_date' });
};
