import type { Migration } from '../src/migration/migration.ts';

/** Adds to the settings how the AI model is chosen. Nothing is chosen yet. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('settings', 'ai_routing_strategy', 'VARCHAR(20)');
};
