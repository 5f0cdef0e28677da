/** Releases of TimeTracker that leave the same rows in alembic_version. */
export interface Released {
  /** The first and the last of them. */
  readonly from: string;
  readonly to: string;
  /** The rows, one for each head; ancestors of another row included where releases left them. */
  readonly heads: readonly string[];
  /** Told by neighbouring releases, not by these themselves. */
  readonly inferred?: true;
}

/**
 * Which releases of TimeTracker are at which revisions, oldest first; what is between two entries is at a revision between
 * theirs. The last entry is the release that this db-init is for: no other place names it (`npm run release:write`
 * brings it to where people read it).
 */
export const releases: readonly Released[] = [
  one('1.5.1', '004'),
  one('2.3.7', '019'),
  one('3.10.3', '049'),
  one('4.3.2', '084_custom_field_definitions'),
  one('4.8.0', '091_add_integration_external_event_links', '092_missing_module_flags'),
  some('4.8.1', '4.8.2', '091_add_integration_external_event_links', '093_remove_ui_allow_flags'),
  some('4.8.3', '4.8.6', '091_add_integration_external_event_links', '094_add_donation_interactions'),
  some('4.8.7', '4.8.8', '091_add_integration_external_event_links', '096_add_missing_portal_issues_enabled'),
  some('4.9.12', '4.9.13', '089_allow_auto_entries_no_project', '105_fix_client_notifications_cascade_delete'),
  some('4.9.14', '4.9.16', '089_allow_auto_entries_no_project', '106_add_reportlab_template_json'),
  some('4.10.0', '4.10.3', '089_allow_auto_entries_no_project', '107_increase_invoice_prefix_length'),
  some('4.10.4', '4.10.5', '089_allow_auto_entries_no_project', '108_add_decorative_images'),
  one('4.10.6', '090_add_push_subscriptions', '108_add_decorative_images'),
  some('4.10.7', '4.11.0', '090_add_push_subscriptions', '109_add_pdf_template_date_format'),
  one('4.11.1', '090_add_push_subscriptions', '100_gantt_colors_modules', '109_add_pdf_template_date_format'),
  one('4.12.0', '090_add_push_subscriptions', '100_gantt_colors_modules', '113_add_invoice_buyer_reference'),
  one('4.12.1', '090_add_push_subscriptions', '100_gantt_colors_modules', '114_enhance_audit_logs_timeentry'),
  some('4.12.2', '4.13.0', '090_add_push_subscriptions', '100_gantt_colors_modules', '115_add_exclude_weekends'),
  some('4.13.1', '4.15.0', '116_merge_three_heads'),
  some('4.15.1', '4.16.1', '117_add_user_calendar_type_colors'),
  some('4.17.0', '4.18.0', '118_add_locked_client_id', '118_add_role_hidden_module_ids'),
  some('4.18.1', '4.18.2', '118_add_role_hidden_module_ids', '120_user_nullable_date_time_format'),
  one('4.18.3', '118_add_role_hidden_module_ids', '121_add_ui_show_donate_system_id'),
  one('4.18.4', '118_add_role_hidden_module_ids', '122_add_settings_donate_ui_hidden'),
  one('4.19.0', '118_add_role_hidden_module_ids', '123_add_calendar_default_view'),
  some('4.19.1', '4.19.2', '118_add_role_hidden_module_ids', '126_add_overtime_include_weekends'),
  some('4.20.0', '4.20.1', '118_add_role_hidden_module_ids', '128_add_invoices_zugferd_pdf'),
  some('4.20.2', '4.20.6', '129_merge_118_128_heads'),
  some('4.20.7', '4.20.8', '129_add_task_tags', '129_merge_118_128_heads'),
  one('4.20.9', '129_add_task_tags', '131_add_donation_variant'),
  one('4.21.0', '129_add_task_tags', '132_add_timesheet_governance_and_time_off'),
  one('4.21.1', '133_merge_132_129_heads'),
  one('4.23.1', '138_add_break_rules'),
  one('5.0.0', '140_client_portal_dashboard_prefs'),
  one('5.7.0', '158_add_workday_sessions_and_hour_limits'),
  some('5.9.0', '5.9.2', '166_add_slack_user_id'),
  one('5.9.3', '168_add_kanban_wip_limit', '169_add_task_checklist_items', '170_add_kanban_board_templates'),
  some('5.9.4', '5.10.1', '171_merge_kanban_feature_heads'),
  some('5.11.0', '5.11.3', '173_add_auto_break_settings'),
  one('5.11.4', '175_add_rounding_boundary_and_minimum'),
  inferred(one('5.11.5', '177_add_app_base_url')),
  one('5.12.0', '181_add_quote_signature'),
  inferred(one('5.13.0', '181_add_quote_signature')),
  some('5.13.1', '5.13.2', '182_add_project_last_used_at'),
  one('5.13.3', '183_add_device_token_push_subscription', '183_add_idle_needs_review'),
  one('5.13.4', '184_merge_183_heads'),
  inferred(some('5.14.0', '5.14.1', '184_merge_183_heads')),
  one('5.16.0', '194_roadmap_features'),
  some('5.17.0', '5.17.2', '198_add_oauth_applications'),
];

function some(from: string, to: string, ...heads: readonly string[]): Released {
  return { from, to, heads };
}

function one(release: string, ...heads: readonly string[]): Released {
  return some(release, release, ...heads);
}

function inferred(entry: Released): Released {
  return { ...entry, inferred: true };
}

/** The entry of the release that this db-init is for. */
export const current: Released = latest(releases);

function latest(entries: readonly Released[]): Released {
  const last = entries.at(-1);
  if (last === undefined) throw new Error('there is no release');
  return last;
}

/** `4.8.1 to 4.8.2`, or the one release that it is. */
export function rangeOf({ from, to }: Released): string {
  return from === to ? from : `${from} to ${to}`;
}
