import type { Migration } from '../src/migration/migration.ts';

export const revision = '067_integration_credentials';
export const parents: readonly string[] = ['066_integration_framework'];

/** Adds the credentials of Jira, Slack and GitHub to the settings, empty for existing settings. */
export const up: Migration = async ({ context: schema }) => {
  const added = await schema.addColumns('settings', {
    jira_client_id: 'VARCHAR(255)',
    jira_client_secret: 'VARCHAR(255)',
    slack_client_id: 'VARCHAR(255)',
    slack_client_secret: 'VARCHAR(255)',
    github_client_id: 'VARCHAR(255)',
    github_client_secret: 'VARCHAR(255)',
  });
  if (added.length === 0) return;
  await schema.run(`UPDATE settings SET ${added.map((column) => `${column} = ''`).join(', ')}`);
};
