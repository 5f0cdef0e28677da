/** Releases of TimeTracker that leave the same rows in alembic_version. */
export interface ReleaseRange {
  /** The first and the last release. */
  readonly from: string;
  readonly to: string;
  /** The rows, one for each head. Some releases also left rows that are ancestors of another row. */
  readonly heads: readonly string[];
  /** Concluded from the releases before and after, not observed. */
  readonly inferred?: true;
}

/**
 * Which releases of TimeTracker are at which revisions, oldest first. A release between two entries is at a revision
 * between theirs. The last entry is the release that this db-init is for. No other file names it by hand:
 * `npm run release:write` writes it into the documents.
 */
export const releases: readonly ReleaseRange[] = [
  single('1.5.1', '004'),
  single('2.3.7', '019'),
  single('3.10.3', '049'),
  single('4.3.2', '084_custom_field_definitions'),
  single('4.8.0', '091_add_integration_external_event_links', '092_missing_module_flags'),
  range('4.8.1', '4.8.2', '091_add_integration_external_event_links', '093_remove_ui_allow_flags'),
  range('4.8.3', '4.8.6', '091_add_integration_external_event_links', '094_add_donation_interactions'),
  range('4.8.7', '4.8.8', '091_add_integration_external_event_links', '096_add_missing_portal_issues_enabled'),
  range('4.9.12', '4.9.13', '089_allow_auto_entries_no_project', '105_fix_client_notifications_cascade_delete'),
  range('4.9.14', '4.9.16', '089_allow_auto_entries_no_project', '106_add_reportlab_template_json'),
  range('4.10.0', '4.10.3', '089_allow_auto_entries_no_project', '107_increase_invoice_prefix_length'),
  range('4.10.4', '4.10.5', '089_allow_auto_entries_no_project', '108_add_decorative_images'),
  single('4.10.6', '090_add_push_subscriptions', '108_add_decorative_images'),
  range('4.10.7', '4.11.0', '090_add_push_subscriptions', '109_add_pdf_template_date_format'),
  single('4.11.1', '090_add_push_subscriptions', '100_gantt_colors_modules', '109_add_pdf_template_date_format'),
  single('4.12.0', '090_add_push_subscriptions', '100_gantt_colors_modules', '113_add_invoice_buyer_reference'),
  single('4.12.1', '090_add_push_subscriptions', '100_gantt_colors_modules', '114_enhance_audit_logs_timeentry'),
  range('4.12.2', '4.13.0', '090_add_push_subscriptions', '100_gantt_colors_modules', '115_add_exclude_weekends'),
  range('4.13.1', '4.15.0', '116_merge_three_heads'),
  range('4.15.1', '4.16.1', '117_add_user_calendar_type_colors'),
  range('4.17.0', '4.18.0', '118_add_locked_client_id', '118_add_role_hidden_module_ids'),
  range('4.18.1', '4.18.2', '118_add_role_hidden_module_ids', '120_user_nullable_date_time_format'),
  single('4.18.3', '118_add_role_hidden_module_ids', '121_add_ui_show_donate_system_id'),
  single('4.18.4', '118_add_role_hidden_module_ids', '122_add_settings_donate_ui_hidden'),
  single('4.19.0', '118_add_role_hidden_module_ids', '123_add_calendar_default_view'),
  range('4.19.1', '4.19.2', '118_add_role_hidden_module_ids', '126_add_overtime_include_weekends'),
  range('4.20.0', '4.20.1', '118_add_role_hidden_module_ids', '128_add_invoices_zugferd_pdf'),
  range('4.20.2', '4.20.6', '129_merge_118_128_heads'),
  range('4.20.7', '4.20.8', '129_add_task_tags', '129_merge_118_128_heads'),
  single('4.20.9', '129_add_task_tags', '131_add_donation_variant'),
  single('4.21.0', '129_add_task_tags', '132_add_timesheet_governance_and_time_off'),
  single('4.21.1', '133_merge_132_129_heads'),
  single('4.23.1', '138_add_break_rules'),
  single('5.0.0', '140_client_portal_dashboard_prefs'),
  single('5.7.0', '158_add_workday_sessions_and_hour_limits'),
  range('5.9.0', '5.9.2', '166_add_slack_user_id'),
  single('5.9.3', '168_add_kanban_wip_limit', '169_add_task_checklist_items', '170_add_kanban_board_templates'),
  range('5.9.4', '5.10.1', '171_merge_kanban_feature_heads'),
  range('5.11.0', '5.11.3', '173_add_auto_break_settings'),
  single('5.11.4', '175_add_rounding_boundary_and_minimum'),
  inferred(single('5.11.5', '177_add_app_base_url')),
  single('5.12.0', '181_add_quote_signature'),
  inferred(single('5.13.0', '181_add_quote_signature')),
  range('5.13.1', '5.13.2', '182_add_project_last_used_at'),
  single('5.13.3', '183_add_device_token_push_subscription', '183_add_idle_needs_review'),
  single('5.13.4', '184_merge_183_heads'),
  inferred(range('5.14.0', '5.14.1', '184_merge_183_heads')),
  single('5.16.0', '194_roadmap_features'),
  range('5.17.0', '5.17.2', '198_add_oauth_applications'),
];

function range(from: string, to: string, ...heads: readonly string[]): ReleaseRange {
  return { from, to, heads };
}

function single(release: string, ...heads: readonly string[]): ReleaseRange {
  return range(release, release, ...heads);
}

function inferred(entry: ReleaseRange): ReleaseRange {
  return { ...entry, inferred: true };
}

/** The entry of the release that this db-init is for. */
export const currentRelease: ReleaseRange = latest(releases);

function latest(entries: readonly ReleaseRange[]): ReleaseRange {
  const last = entries.at(-1);
  if (last === undefined) throw new Error('the list of releases is empty');
  return last;
}

/** `4.8.1 to 4.8.2`, or the only release of the range. */
export function renderRange({ from, to }: ReleaseRange): string {
  return from === to ? from : `${from} to ${to}`;
}
