import type { Migration } from '../src/migration/migration.ts';

export const revision = '077_ui_feature_flags';
export const parents: readonly string[] = ['076_client_billing_time_entries'];

/** Adds flags for visible modules to users; existing users see all modules. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('users', {
    ui_show_inventory: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_show_mileage: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_show_per_diem: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_show_kanban_board: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_show_calendar: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_show_project_templates: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_show_gantt_chart: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_show_weekly_goals: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_show_issues: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_show_quotes: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_show_reports: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_show_report_builder: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_show_scheduled_reports: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_show_invoice_approvals: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_show_payment_gateways: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_show_recurring_invoices: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_show_payments: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_show_budget_alerts: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_show_analytics: 'BOOLEAN NOT NULL DEFAULT TRUE',
    ui_show_tools: 'BOOLEAN NOT NULL DEFAULT TRUE',
  });
};
