import type { Migration } from '../src/migration/migration.ts';

export const revision = '151_add_ai_helper_settings';
export const parents: readonly string[] = ['150_add_smart_notifications'];

/** Adds the AI helper to the settings. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('settings', {
    ai_enabled: 'BOOLEAN',
    ai_provider: 'VARCHAR(50)',
    ai_base_url: 'VARCHAR(500)',
    ai_model: 'VARCHAR(120)',
    ai_api_key: 'VARCHAR(500)',
    ai_timeout_seconds: 'INTEGER',
    ai_context_limit: 'INTEGER',
    ai_system_prompt: 'TEXT',
  });
};
