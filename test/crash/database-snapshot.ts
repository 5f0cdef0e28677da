import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Everything of an installation that must not be lost: part → content. */
export type DatabaseSnapshot = Readonly<Record<string, string>>;

/** Leaves out the values that differ in each run: times since `since`, ids and positions of sequences. */
export function normaliser(began: Date): (text: string) => string {
  // for any time zone
  const since = new Date(began.getTime() - 26 * 3_600_000).toISOString().slice(0, 10);
  return (text) =>
    text
      // each password hash has a random salt
      .replaceAll(/scrypt:[\d:]+\$\w+\$[\da-f]+/g, '<hash>')
      .replaceAll(/\d{8}_?T?\d{6}Z?(?:_\d+)*/gi, '<id>')
      .replaceAll(
        /(\d{4}-\d\d-\d\d)[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d(?::?\d\d)?)?/g,
        (time, day: string) => (day >= since ? '<now>' : time),
      )
      .replaceAll(/^SELECT pg_catalog\.setval\(.*\n?/gm, '');
}

/** All files below a folder, with their content. */
export function treeOf(folder: string): string {
  const lines = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => {
    const file = join(folder, path);
    const stats = lstatSync(file);
    if (stats.isDirectory()) return `${path}/`;
    return `${path}: ${stats.isSymbolicLink() ? `→ ${readlinkSync(file)}` : readFileSync(file, 'base64')}`;
  });
  return lines.toSorted().join('\n');
}

/** @returns a short description of the difference; null if there is none */
export function differenceOf(found: DatabaseSnapshot, expected: DatabaseSnapshot): string | null {
  const parts = [...new Set([...Object.keys(found), ...Object.keys(expected)])];
  const differing = parts.filter((part) => found[part] !== expected[part]);
  if (differing.length === 0) return null;
  return differing.map((part) => `${part}: ${firstDifference(found[part], expected[part])}`).join('; ');
}

function firstDifference(found: string | undefined, expected: string | undefined): string {
  if (found === undefined) return 'is missing';
  if (expected === undefined) return 'should not be there';
  const [ours, theirs] = [found.split('\n'), expected.split('\n')];
  const [added, lost] = [minus(ours, theirs), minus(theirs, ours)];
  const shown = (lines: readonly string[]): string =>
    lines.length === 0 ? '' : `${lines.length}, e.g. ${JSON.stringify(lines[0]?.slice(0, 160))}`;
  return `too much: ${shown(added)} missing: ${shown(lost)}`;
}

function minus(lines: readonly string[], others: readonly string[]): readonly string[] {
  const known = new Set(others);
  return lines.filter((line) => !known.has(line));
}
