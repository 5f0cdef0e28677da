import { coreTables, versionTable } from '../model/catalog.ts';

export { coreTables, versionTable };

/**
 * Whether core tables count as TimeTracker's although there is no version row: only if all of them are present and
 * there is no ledger of another tool, because other applications have tables `users` and `projects`, too.
 */
export function hasAllCoreTables(core: readonly string[], ledgers: readonly string[]): boolean {
  return core.length === coreTables.length && ledgers.length === 0;
}
