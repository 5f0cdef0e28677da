import type { Migration } from '../src/migration/migration.ts';

export const revision = '093_remove_ui_allow_flags';
export const parents: readonly string[] = ['092_missing_module_flags'];

const modules = [
  'calendar',
  'project_templates',
  'gantt_chart',
  'kanban_board',
  'weekly_goals',
  'issues',
  'quotes',
  'reports',
  'report_builder',
  'scheduled_reports',
  'invoice_approvals',
  'payment_gateways',
  'recurring_invoices',
  'payments',
  'mileage',
  'per_diem',
  'budget_alerts',
  'inventory',
  'analytics',
  'tools',
  'integrations',
  'import_export',
  'saved_filters',
  'contacts',
  'deals',
  'leads',
  'invoices',
  'expenses',
  'time_entry_templates',
  'workflows',
  'time_approvals',
  'activity_feed',
  'recurring_tasks',
  'team_chat',
  'client_portal',
  'kiosk',
];

/** Drops the flags of allowed modules from the settings. Their values are lost: no other column gets them. */
export const up: Migration = async ({ context: schema }) => {
  for (const module of modules) await schema.dropColumn('settings', `ui_allow_${module}`);
};
