import type { Revision } from '../src/migration/graph.ts';

/**
 * Every revision of TimeTracker's schema with its parents, in the order in which they are applied to an empty
 * database. The module of a revision is loaded only when it is to be applied.
 */
export const revisions: readonly Revision[] = [
  { id: '001', parents: [], load: () => import('./001_initial_schema.ts') },
  { id: '002', parents: ['001'], load: () => import('./002_add_users_full_name.ts') },
  { id: '003', parents: ['002'], load: () => import('./003_add_users_theme_preference.ts') },
  { id: '004', parents: ['003'], load: () => import('./004_add_task_activities.ts') },
  { id: '005', parents: ['004'], load: () => import('./005_add_settings_and_time_entries_columns.ts') },
  { id: '006', parents: ['005'], load: () => import('./006_add_company_logo_and_task_dates.ts') },
  { id: '007', parents: ['006'], load: () => import('./007_add_invoice_and_settings_columns.ts') },
  { id: '008', parents: ['007'], load: () => import('./008_add_invoice_totals_and_defaults.ts') },
  { id: '009', parents: ['008'], load: () => import('./009_add_invoices_created_by.ts') },
  { id: '010', parents: ['009'], load: () => import('./010_enforce_single_active_timer.ts') },
  { id: '011', parents: ['010'], load: () => import('./011_add_users_preferred_language.ts') },
  { id: '012', parents: ['011'], load: () => import('./012_add_invoice_pdf_template.ts') },
  { id: '013', parents: ['012'], load: () => import('./013_add_comments.ts') },
  { id: '014', parents: ['013'], load: () => import('./014_add_invoice_payment_status.ts') },
  { id: '015', parents: ['014'], load: () => import('./015_add_users_oidc.ts') },
  { id: '016', parents: ['015'], load: () => import('./016_add_focus_sessions_and_project_budgets.ts') },
  { id: '017', parents: ['016'], load: () => import('./017_add_reporting_and_invoicing.ts') },
  { id: '018', parents: ['017'], load: () => import('./018_add_project_costs.ts') },
  { id: '019', parents: ['018'], load: () => import('./019_add_kanban_columns.ts') },
  { id: '020', parents: ['019'], load: () => import('./020_add_users_avatar.ts') },
  { id: '021', parents: ['020'], load: () => import('./021_add_extra_goods.ts') },
  { id: '022', parents: ['021'], load: () => import('./022_add_entry_templates_activities_and_preferences.ts') },
  { id: '023', parents: ['022'], load: () => import('./023_add_projects_code.ts') },
  { id: '024', parents: ['023'], load: () => import('./024_add_user_favorite_projects.ts') },
  { id: '025', parents: ['024'], load: () => import('./025_add_client_notes.ts') },
  { id: '026', parents: ['025'], load: () => import('./026_add_project_archiving.ts') },
  { id: '027', parents: ['026'], load: () => import('./027_add_users_time_rounding.ts') },
  { id: '028', parents: ['027'], load: () => import('./028_add_weekly_time_goals.ts') },
  { id: '029', parents: ['028'], load: () => import('./029_add_expenses.ts') },
  { id: '030', parents: ['029'], load: () => import('./030_add_roles_and_permissions.ts') },
];
