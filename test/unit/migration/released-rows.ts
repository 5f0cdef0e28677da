import { renderRange, releases } from '../../../src/releases.ts';

/** What releases left in alembic_version, one row for each open head; the releases' names beside them. */
export const releasedRows: readonly (readonly [releases: string, ...rows: string[]])[] = releases.map((entry) => [
  renderRange(entry),
  ...entry.heads,
]);

/** After which revision of one run from nothing there are several rows; after every other there is its own alone. */
export const severalRows: Readonly<Record<string, readonly string[]>> = {
  '100_gantt_colors_modules': ['100_gantt_colors_modules', '115_add_exclude_weekends'],
  '089_allow_auto_entries_no_project': [
    '089_allow_auto_entries_no_project',
    '100_gantt_colors_modules',
    '115_add_exclude_weekends',
  ],
  '090_add_push_subscriptions': ['090_add_push_subscriptions', '100_gantt_colors_modules', '115_add_exclude_weekends'],
  '118_add_role_hidden_module_ids': ['118_add_role_hidden_module_ids', '129_add_task_tags'],
  '129_merge_118_128_heads': ['129_add_task_tags', '129_merge_118_128_heads'],
  '130_add_peppol_transport_mode_and_native': ['129_add_task_tags', '130_add_peppol_transport_mode_and_native'],
  '131_add_donation_variant': ['129_add_task_tags', '131_add_donation_variant'],
  '132_add_timesheet_governance_and_time_off': ['129_add_task_tags', '132_add_timesheet_governance_and_time_off'],
  '169_add_task_checklist_items': ['169_add_task_checklist_items', '170_add_kanban_board_templates'],
  '168_add_kanban_wip_limit': [
    '168_add_kanban_wip_limit',
    '169_add_task_checklist_items',
    '170_add_kanban_board_templates',
  ],
  '183_add_device_token_push_subscription': ['183_add_device_token_push_subscription', '183_add_idle_needs_review'],
};
