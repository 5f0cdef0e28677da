import { revisions } from '../../migrations/graph.ts';
import { createGraph, type Graph } from './graph.ts';

/** Identifiers that releases recorded and that are called otherwise now. */
const renamed: Readonly<Record<string, string>> = {
  // releases 4.0.0 and 4.0.1, where the file was renamed without its effect being changed
  '066_add_integration_framework': '066_integration_framework',
};

/** The revision graph of this release. */
export const releaseGraph: Graph = createGraph(revisions, renamed);
