import type { Migration } from '../src/migration/migration.ts';

export const revision = '064';
export const parents: readonly string[] = ['063'];

/** Adds kiosk mode to the settings. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('settings', {
    kiosk_mode_enabled: 'BOOLEAN NOT NULL DEFAULT FALSE',
    kiosk_auto_logout_minutes: 'INTEGER NOT NULL DEFAULT 15',
    kiosk_allow_camera_scanning: 'BOOLEAN NOT NULL DEFAULT TRUE',
    kiosk_require_reason_for_adjustments: 'BOOLEAN NOT NULL DEFAULT FALSE',
    kiosk_default_movement_type: "VARCHAR(20) NOT NULL DEFAULT 'adjustment'",
  });
};
