import type { Migration } from '../src/migration/migration.ts';

export const revision = '171_merge_kanban_feature_heads';
export const parents: readonly string[] = [
  '168_add_kanban_wip_limit',
  '169_add_task_checklist_items',
  '170_add_kanban_board_templates',
];

/** Merges 168_add_kanban_wip_limit, 169_add_task_checklist_items and 170_add_kanban_board_templates. */
export const up: Migration = async () => {};
