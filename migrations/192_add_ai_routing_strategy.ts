import type { Migration } from '../src/migration/migration.ts';

export const revision = '192_add_ai_routing_strategy';
export const parents: readonly string[] = ['191_add_geofences'];

/** Adds the strategy for the choice of the AI model to the settings; it is not set. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('settings', 'ai_routing_strategy', 'VARCHAR(20)');
};
