import { revisions } from '../../migrations/graph.ts';
import { createGraph, type Graph } from './graph.ts';

/** Former identifiers in version rows, and the revision at which a database with such a row is. */
export const renamed: Readonly<Record<string, string>> = {
  // releases 4.0.0 and 4.0.1; the file was renamed later, with the same effect
  '066_add_integration_framework': '066_integration_framework',
  // no longer in the history; the steps after 039 add only missing objects, so they can safely run again
  '040_task_time_entry_cascade_fix': '039_add_budget_alerts',
};

/** The revision graph of this release. */
export const releaseGraph: Graph = createGraph(revisions, renamed);
