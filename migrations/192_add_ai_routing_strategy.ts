import type { Migration } from '../src/migration/migration.ts';

export const revision = '192_add_ai_routing_strategy';
export const parents: readonly string[] = ['191_add_geofences'];

/** Adds to the settings how the AI model is chosen. Nothing is chosen yet. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('settings', 'ai_routing_strategy', 'VARCHAR(20)');
};
