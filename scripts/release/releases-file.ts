import type { ReleaseRange } from '../../src/releases.ts';

const entryPattern = /^ {2}(inferred\()?(single|range)\(([^)]*)\)\)?,$/gm;
const bodyPattern = /^(export const releases: readonly ReleaseRange\[\] = \[\n)(.*?)^\];$/ms;

/** The releases in src/releases.ts, oldest first. @throws Error if the file has another form */
export function readReleases(text: string): readonly ReleaseRange[] {
  const body = bodyPattern.exec(text)?.[2] ?? '';
  const entries = [...body.matchAll(entryPattern)].map(([, inferred, kind, list = '']): ReleaseRange => {
    const words = [...list.matchAll(/'([^']+)'/g)].map(([, word = '']) => word);
    const [from = '', to = ''] = kind === 'single' ? [words[0], words[0]] : words;
    const heads = words.slice(kind === 'single' ? 1 : 2);
    return inferred === undefined ? { from, to, heads } : { from, to, heads, inferred: true };
  });
  if (entries.length === 0) throw new Error('src/releases.ts does not list releases in the way that it did');
  return entries;
}

/**
 * The text of src/releases.ts with one more release: a new entry, or an extension of the last one. Pure and
 * idempotent.
 */
export function addRelease(text: string, release: string, heads: readonly string[]): string {
  const entries = readReleases(text);
  const last = entries.at(-1);
  const same = last !== undefined && last.heads.toSorted().join() === heads.toSorted().join();
  if (last?.to === release && same) return text;
  const goesOn = same && last.inferred === undefined;
  const replaces = goesOn || last?.to === release;
  const from = last !== undefined && replaces ? last.from : release;
  const line = render({ from, to: release, heads });
  return text.replace(bodyPattern, (_whole, start: string, body: string) => {
    const kept = replaces
      ? body.replace(/^ {2}(?:inferred\()?(?:single|range)\([^)]*\)\)?,\n$(?![^]*^ {2}\S)/m, '')
      : body;
    return `${start}${kept}${line}\n];`;
  });
}

function render({ from, to, heads }: ReleaseRange): string {
  const words = [...(from === to ? [from] : [from, to]), ...heads].map((word) => `'${word}'`);
  return `  ${from === to ? 'single' : 'range'}(${words.join(', ')}),`;
}

/** Whether a release comes before another. */
export function isOlder(release: string, other: string): boolean {
  const numbers = (text: string): number[] => text.split('.').map(Number);
  const [a, b] = [numbers(release), numbers(other)];
  const at = a.findIndex((number, index) => number !== b[index]);
  return at >= 0 && (a[at] ?? 0) < (b[at] ?? 0);
}
