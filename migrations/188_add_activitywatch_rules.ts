import type { Migration } from '../src/migration/migration.ts';

export const revision = '188_add_activitywatch_rules';
export const parents: readonly string[] = ['187_add_integration_sync_errors'];

/** Creates rules for the activities that ActivityWatch reports, and the activities that wait for a decision. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('activitywatch_rules', {
    id: 'SERIAL PRIMARY KEY',
    user_id: 'INTEGER NOT NULL REFERENCES users(id)',
    name: 'VARCHAR(120) NOT NULL',
    pattern_type: "VARCHAR(30) NOT NULL DEFAULT 'app'",
    pattern_value: 'VARCHAR(500) NOT NULL',
    project_id: 'INTEGER REFERENCES projects(id)',
    task_id: 'INTEGER REFERENCES tasks(id)',
    tags: 'JSON',
    billable: 'BOOLEAN NOT NULL DEFAULT TRUE',
    min_duration_seconds: 'INTEGER',
    priority: 'INTEGER NOT NULL DEFAULT 100',
    is_active: 'BOOLEAN NOT NULL DEFAULT TRUE',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('activitywatch_rules', ['user_id'], { name: 'ix_activitywatch_rules_user_id' });

  await schema.createTable('pending_activities', {
    id: 'SERIAL PRIMARY KEY',
    user_id: 'INTEGER NOT NULL REFERENCES users(id)',
    aw_bucket: 'VARCHAR(255)',
    app_name: 'VARCHAR(255)',
    title: 'VARCHAR(500)',
    url: 'VARCHAR(1000)',
    started_at: 'TIMESTAMP NOT NULL',
    duration_seconds: 'INTEGER NOT NULL DEFAULT 0',
    matched_rule_id: 'INTEGER REFERENCES activitywatch_rules(id)',
    suggested_project_id: 'INTEGER REFERENCES projects(id)',
    suggested_task_id: 'INTEGER REFERENCES tasks(id)',
    suggested_billable: 'BOOLEAN NOT NULL DEFAULT TRUE',
    external_uid: 'VARCHAR(255)',
    status: "VARCHAR(20) NOT NULL DEFAULT 'pending'",
    notes: 'TEXT',
    created_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('pending_activities', ['status'], { name: 'ix_pending_activities_status' });
  await schema.addIndex('pending_activities', ['user_id'], { name: 'ix_pending_activities_user_id' });
};
