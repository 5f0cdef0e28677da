import { coreTables, versionTable } from '../model/catalog.ts';

export { coreTables, versionTable };

/**
 * Whether core tables pass for TimeTracker's although no version says so: all of them at once, where no other tool has
 * left its ledger. Other applications have users and projects, too.
 */
export function isWholeCore(core: readonly string[], ledgers: readonly string[]): boolean {
  return core.length === coreTables.length && ledgers.length === 0;
}
