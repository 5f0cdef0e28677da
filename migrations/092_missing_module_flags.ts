import type { Migration } from '../src/migration/migration.ts';

export const revision = '092_missing_module_flags';
export const parents: readonly string[] = ['091_add_integration_external_event_links'];

/** Adds the flags of modules that 077 and 078 left out; existing users and settings see all of them. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('settings', {
    ui_allow_integrations: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_allow_import_export: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_allow_saved_filters: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_allow_contacts: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_allow_deals: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_allow_leads: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_allow_invoices: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_allow_expenses: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_allow_time_entry_templates: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_allow_workflows: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_allow_time_approvals: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_allow_activity_feed: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_allow_recurring_tasks: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_allow_team_chat: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_allow_client_portal: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_allow_kiosk: 'BOOLEAN NOT NULL DEFAULT TRUE',
  });
  await schema.addColumns('users', {
    ui_show_integrations: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_show_import_export: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_show_saved_filters: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_show_contacts: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_show_deals: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_show_leads: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_show_invoices: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_show_expenses: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_show_time_entry_templates: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_show_workflows: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_show_time_approvals: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_show_activity_feed: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_show_recurring_tasks: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_show_team_chat: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_show_client_portal: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_show_issues: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_show_kiosk: 'BOOLEAN NOT NULL DEFAULT TRUE',
  });
};
