import { describe, expect, it } from 'vitest';
import { createGraph, type Graph, type Revision } from '../../../src/migration/graph.ts';
import { releaseGraph } from '../../../src/migration/revisions.ts';
import { releasedRows, severalRows } from './released-rows.ts';

const everything = releaseGraph.revisions.map(({ id }) => id);
const pending = (...rows: readonly string[]): string[] => releaseGraph.pending(rows).map(({ id }) => id);
const sorted = (rows: readonly string[]): string[] => rows.toSorted();

/** The rows after everything pending was applied to a database with `rows`. */
const carriedOn = (rows: readonly string[]): readonly string[] =>
  pending(...rows).reduce((now, id) => releaseGraph.advance(now, id), releaseGraph.headsOf(rows));

describe('the graph of this release', () => {
  it('gives after each revision the version rows of the application', () => {
    let rows: readonly string[] = [];
    for (const id of everything) {
      rows = releaseGraph.advance(rows, id);
      expect(sorted(rows), id).toEqual(severalRows[id] ?? [id]);
    }
  });

  it.for([...releasedRows])('lists the pending revisions after %s, and ends at the head', ([, ...rows]) => {
    const executed = releaseGraph.withAncestors(rows);
    expect(pending(...rows)).toEqual(everything.filter((id) => !executed.has(id)));
    expect(pending(...rows).filter((id) => rows.includes(id))).toEqual([]);
    expect(carriedOn(rows)).toEqual(releaseGraph.heads);
  });

  it.for([...releasedRows])('continues from a single row of %s', ([, ...rows]) => {
    for (const row of rows) expect(carriedOn([row]), row).toEqual(releaseGraph.heads);
  });

  it('continues after any prefix of the order of application', () => {
    let rows: readonly string[] = [];
    for (const [index, id] of everything.entries()) {
      expect(pending(...rows)).toEqual(everything.slice(index));
      rows = releaseGraph.advance(rows, id);
    }
    expect(pending(...rows)).toEqual([]);
  });

  it('applies the other branches to a database that has one', () => {
    const first = (row: string): string[] => pending(row).slice(0, 3);
    expect(first('115_add_exclude_weekends')).toEqual([
      '100_gantt_colors_modules',
      '089_allow_auto_entries_no_project',
      '090_add_push_subscriptions',
    ]);
    expect(first('132_add_timesheet_governance_and_time_off')).toEqual([
      '129_add_task_tags',
      '133_merge_132_129_heads',
      '134_overtime_weekly',
    ]);
    expect(first('170_add_kanban_board_templates')).toEqual([
      '169_add_task_checklist_items',
      '168_add_kanban_wip_limit',
      '171_merge_kanban_feature_heads',
    ]);
    expect(first('089_allow_auto_entries_no_project')).toEqual([
      '089_fix_role_perm_sequences',
      '090_report_builder_iteration',
      '091_add_integration_external_event_links',
    ]);
  });

  it.for([
    ['091_add_integration_external_event_links', '096_add_missing_portal_issues_enabled'],
    ['117_add_user_calendar_type_colors', '118_add_locked_client_id'],
    ['168_add_kanban_wip_limit', '171_merge_kanban_feature_heads'],
  ] as const)('drops the row %s because %s comes after it', ([ancestor, descendant]) => {
    expect(releaseGraph.headsOf([ancestor, descendant])).toEqual([descendant]);
    expect(pending(ancestor, descendant)).toEqual(pending(descendant));
  });

  it('keeps rows of independent branches', () => {
    const rows = ['168_add_kanban_wip_limit', '170_add_kanban_board_templates'];
    expect(releaseGraph.headsOf(rows)).toEqual(rows);
  });

  it('treats an identifier of an earlier release as its present one', () => {
    expect(releaseGraph.knows('066_add_integration_framework')).toBe(true);
    expect(releaseGraph.headsOf(['066_add_integration_framework'])).toEqual(['066_integration_framework']);
    expect(pending('066_add_integration_framework')).toEqual(pending('066_integration_framework'));
  });

  it.for(['025_no_such_revision', '100_add_tenants_and_membership', 'constructor', ''])('does not know %j', (id) => {
    expect(releaseGraph.knows(id)).toBe(false);
    expect(pending(id)).toEqual(everything);
  });
});

describe('a graph', () => {
  const revision = (id: string, ...parents: string[]): Revision => ({
    id,
    parents,
    load: () => Promise.reject(new Error('not to be loaded')),
  });
  const diamond = (): Graph =>
    createGraph([revision('a'), revision('b', 'a'), revision('c', 'a'), revision('d', 'b', 'c'), revision('e', 'a')]);

  it('has every head, in order', () => {
    expect(diamond().heads).toEqual(['d', 'e']);
  });

  it('replaces all parents of a merge by the merge', () => {
    expect(diamond().advance(['b', 'c', 'e'], 'd')).toEqual(['e', 'd']);
  });

  it('lists the revisions that must have been applied before', () => {
    expect([...diamond().withAncestors(['d'])].toSorted()).toEqual(['a', 'b', 'c', 'd']);
  });

  it.for([
    ['a parent after its child', [revision('b', 'a'), revision('a')], /b comes before its parent a/],
    ['a name twice', [revision('a'), revision('a')], /a is there twice/],
  ] as const)('is refused with %s', ([, revisions, message]) => {
    expect(() => createGraph(revisions)).toThrow(message);
  });
});
