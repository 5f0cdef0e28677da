import { current } from '../releases.ts';

/** What `version` prints: what this db-init is, and which release of TimeTracker it is for. */
export function versionText(version: string): string {
  return `db-init ${version} for TimeTracker ${current.to} (${current.heads.join(', ')})\n`;
}

/** The same for programs. */
export function versionJson(version: string): string {
  return `${JSON.stringify({ version, release: current.to, heads: current.heads }, null, 2)}\n`;
}
