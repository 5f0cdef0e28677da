import type { Migration } from '../src/migration/migration.ts';

export const revision = '078_system_ui_feature_flags';
export const parents: readonly string[] = ['077_ui_feature_flags'];

/** Adds flags for allowed modules to the settings; existing settings allow all modules. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('settings', {
    ui_allow_calendar: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_allow_project_templates: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_allow_gantt_chart: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_allow_kanban_board: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_allow_weekly_goals: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_allow_quotes: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_allow_reports: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_allow_report_builder: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_allow_scheduled_reports: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_allow_invoice_approvals: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_allow_payment_gateways: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_allow_recurring_invoices: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_allow_payments: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_allow_mileage: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_allow_per_diem: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_allow_budget_alerts: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_allow_inventory: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_allow_analytics: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_allow_tools: 'BOOLEAN NOT NULL DEFAULT TRUE',
  });
};
