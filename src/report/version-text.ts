import { current } from '../releases.ts';
import type { JsonObject } from './output.ts';

/** What `version` prints: what this db-init is, and which release of TimeTracker it is for. */
export function versionText(version: string): string {
  return `db-init ${version} for TimeTracker ${current.to} (${current.heads.join(', ')})\n`;
}

/** The same for programs. */
export function versionFacts(version: string): JsonObject {
  return { version, release: current.to, heads: current.heads };
}
