import { coreTables, versionTable } from '../model/catalog.ts';

export { coreTables, versionTable };

/**
 * Whether core tables count as TimeTracker's although there is no version row: only if all of them are present and no
 * other tool has a migration table, because other applications also have tables `users` and `projects`.
 */
export function hasAllCoreTables(core: readonly string[], foreignTables: readonly string[]): boolean {
  return core.length === coreTables.length && foreignTables.length === 0;
}
