import type { Migration } from '../src/migration/migration.ts';

export const revision = '081_add_int_oauth_creds';
export const parents: readonly string[] = ['080_fix_metadata_column_names'];

/**
 * Adds the credentials of more integrations to the settings, empty for existing settings. Existing columns keep their
 * values.
 */
export const up: Migration = async ({ context: schema }) => {
  const added = await schema.addColumns('settings', {
    google_calendar_client_id: 'VARCHAR(255)',
    google_calendar_client_secret: 'VARCHAR(255)',
    outlook_calendar_client_id: 'VARCHAR(255)',
    outlook_calendar_client_secret: 'VARCHAR(255)',
    outlook_calendar_tenant_id: 'VARCHAR(255)',
    microsoft_teams_client_id: 'VARCHAR(255)',
    microsoft_teams_client_secret: 'VARCHAR(255)',
    microsoft_teams_tenant_id: 'VARCHAR(255)',
    asana_client_id: 'VARCHAR(255)',
    asana_client_secret: 'VARCHAR(255)',
    trello_api_key: 'VARCHAR(255)',
    trello_api_secret: 'VARCHAR(255)',
    gitlab_client_id: 'VARCHAR(255)',
    gitlab_client_secret: 'VARCHAR(255)',
    gitlab_instance_url: 'VARCHAR(500)',
    quickbooks_client_id: 'VARCHAR(255)',
    quickbooks_client_secret: 'VARCHAR(255)',
    xero_client_id: 'VARCHAR(255)',
    xero_client_secret: 'VARCHAR(255)',
  });
  if (added.length === 0) return;
  await schema.run(`UPDATE settings SET ${added.map((column) => `${column} = ''`).join(', ')}`);
};
