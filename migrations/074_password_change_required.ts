import type { Migration } from '../src/migration/migration.ts';

export const revision = '074_password_change_required';
export const parents: readonly string[] = ['073_ai_features_gps_tracking'];

/** Adds a flag to users: whether they must change their password. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('users', 'password_change_required', 'BOOLEAN NOT NULL DEFAULT FALSE');
};
