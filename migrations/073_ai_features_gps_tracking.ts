import type { Migration } from '../src/migration/migration.ts';

export const revision = '073_ai_features_gps_tracking';
export const parents: readonly string[] = ['072_client_portal_team_chat'];

/** Creates badges, leaderboards, custom reports and recorded journeys. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('badges', {
    id: 'SERIAL PRIMARY KEY',
    name: 'VARCHAR(200) NOT NULL UNIQUE',
    description: 'TEXT',
    icon: 'VARCHAR(100)',
    badge_type: 'VARCHAR(50) NOT NULL',
    criteria: 'JSON NOT NULL',
    points: 'INTEGER NOT NULL DEFAULT 0',
    rarity: "VARCHAR(20) NOT NULL DEFAULT 'common'",
    is_active: 'BOOLEAN NOT NULL DEFAULT TRUE',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
  });

  await schema.createTable('custom_report_configs', {
    id: 'SERIAL PRIMARY KEY',
    name: 'VARCHAR(200) NOT NULL',
    owner_id: 'INTEGER NOT NULL REFERENCES users(id)',
    report_type: 'VARCHAR(50) NOT NULL',
    builder_config: 'JSON NOT NULL',
    layout_config: 'JSON',
    scope: "VARCHAR(20) NOT NULL DEFAULT 'private'",
    shared_with: 'JSON',
    is_active: 'BOOLEAN NOT NULL DEFAULT TRUE',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('custom_report_configs', ['owner_id'], { name: 'ix_custom_report_configs_owner_id' });

  await schema.createTable('leaderboards', {
    id: 'SERIAL PRIMARY KEY',
    name: 'VARCHAR(200) NOT NULL',
    description: 'TEXT',
    leaderboard_type: 'VARCHAR(50) NOT NULL',
    period: "VARCHAR(20) NOT NULL DEFAULT 'all_time'",
    scope: 'VARCHAR(50)',
    config: 'JSON',
    is_active: 'BOOLEAN NOT NULL DEFAULT TRUE',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
  });

  await schema.createTable('leaderboard_entries', {
    id: 'SERIAL PRIMARY KEY',
    leaderboard_id: 'INTEGER NOT NULL REFERENCES leaderboards(id)',
    user_id: 'INTEGER NOT NULL REFERENCES users(id)',
    rank: 'INTEGER NOT NULL',
    score: 'NUMERIC(10,2) NOT NULL',
    period_start: 'TIMESTAMP NOT NULL',
    period_end: 'TIMESTAMP NOT NULL',
    metadata: 'JSON',
    calculated_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('leaderboard_entries', ['leaderboard_id'], { name: 'ix_leaderboard_entries_leaderboard_id' });
  await schema.addIndex('leaderboard_entries', ['leaderboard_id', 'period_start'], {
    name: 'ix_leaderboard_entries_leaderboard_period',
  });
  await schema.addIndex('leaderboard_entries', ['user_id'], { name: 'ix_leaderboard_entries_user_id' });
  await schema.addIndex('leaderboard_entries', ['user_id', 'period_start'], {
    name: 'ix_leaderboard_entries_user_period',
  });

  await schema.createTable('mileage_tracks', {
    id: 'SERIAL PRIMARY KEY',
    expense_id: 'INTEGER REFERENCES expenses(id)',
    user_id: 'INTEGER NOT NULL REFERENCES users(id)',
    start_location: 'VARCHAR(200)',
    end_location: 'VARCHAR(200)',
    start_latitude: 'NUMERIC(10,8)',
    start_longitude: 'NUMERIC(11,8)',
    end_latitude: 'NUMERIC(10,8)',
    end_longitude: 'NUMERIC(11,8)',
    distance_km: 'NUMERIC(10,2)',
    distance_miles: 'NUMERIC(10,2)',
    track_points: 'JSON',
    started_at: 'TIMESTAMP NOT NULL',
    ended_at: 'TIMESTAMP',
    duration_seconds: 'INTEGER',
    method: "VARCHAR(50) NOT NULL DEFAULT 'gps'",
    notes: 'TEXT',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('mileage_tracks', ['expense_id'], { name: 'ix_mileage_tracks_expense_id' });
  await schema.addIndex('mileage_tracks', ['user_id'], { name: 'ix_mileage_tracks_user_id' });
  await schema.addIndex('mileage_tracks', ['user_id', 'started_at'], { name: 'ix_mileage_tracks_user_started' });

  await schema.createTable(
    'user_badges',
    {
      id: 'SERIAL PRIMARY KEY',
      user_id: 'INTEGER NOT NULL REFERENCES users(id)',
      badge_id: 'INTEGER NOT NULL REFERENCES badges(id)',
      earned_at: 'TIMESTAMP NOT NULL',
      progress: 'INTEGER NOT NULL DEFAULT 100',
      metadata: 'JSON',
    },
    {
      uq_user_badge: 'UNIQUE (user_id, badge_id)',
    },
  );
  await schema.addIndex('user_badges', ['badge_id'], { name: 'ix_user_badges_badge_id' });
  await schema.addIndex('user_badges', ['user_id', 'earned_at'], { name: 'ix_user_badges_user_earned' });
  await schema.addIndex('user_badges', ['user_id'], { name: 'ix_user_badges_user_id' });
};
