import { revisions } from '../../migrations/graph.ts';
import { createGraph, type Graph } from './graph.ts';

/** Identifiers that were recorded once and are called otherwise now: what a database that has one of them is at. */
export const renamed: Readonly<Record<string, string>> = {
  // releases 4.0.0 and 4.0.1, where the file was renamed without its effect being changed
  '066_add_integration_framework': '066_integration_framework',
  // no longer in the history: every step after 039 adds only what is not there yet, so it is safe to begin there
  '040_task_time_entry_cascade_fix': '039_add_budget_alerts',
};

/** The revision graph of this release. */
export const releaseGraph: Graph = createGraph(revisions, renamed);
