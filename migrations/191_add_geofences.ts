import type { Migration } from '../src/migration/migration.ts';

export const revision = '191_add_geofences';
export const parents: readonly string[] = ['190_add_shared_report_links'];

/** Creates geofences, and adds the place of the start to workday sessions; it is unknown for existing ones. */
export const up: Migration = async ({ context: schema }) => {
  const now = schema.engine === 'postgresql' ? 'now()' : 'CURRENT_TIMESTAMP';
  await schema.createTable('geofences', {
    id: 'SERIAL PRIMARY KEY',
    name: 'VARCHAR(120) NOT NULL',
    lat: 'DOUBLE PRECISION NOT NULL',
    lng: 'DOUBLE PRECISION NOT NULL',
    radius_m: "DOUBLE PRECISION NOT NULL DEFAULT '100'",
    address: 'VARCHAR(500)',
    project_id: 'INTEGER REFERENCES projects(id)',
    is_active: 'BOOLEAN NOT NULL DEFAULT TRUE',
    policy: "VARCHAR(10) NOT NULL DEFAULT 'log'",
    created_at: `TIMESTAMP NOT NULL DEFAULT ${now}`,
    updated_at: `TIMESTAMP NOT NULL DEFAULT ${now}`,
  });
  await schema.addIndex('geofences', ['project_id'], { name: 'ix_geofences_project_id' });

  await schema.addColumns('workday_sessions', {
    latitude: 'DOUBLE PRECISION',
    longitude: 'DOUBLE PRECISION',
    accuracy_m: 'DOUBLE PRECISION',
    geofence_id: 'INTEGER CONSTRAINT fk_workday_sessions_geofence_id REFERENCES geofences(id)',
    geofence_status: 'VARCHAR(20)',
  });
};
