import { shownDetail } from './server-detail.ts';

const longest = 600;

/**
 * What matters of what pg_restore or psql said: the first error with its details, and how many there are.
 * @param ending how the program ended, for the case that it said nothing
 */
export function toolMessage(stderr: string, ending: string): string {
  const lines = stderr.split('\n').map((line) => line.trimEnd());
  const errors = lines.flatMap((line, index) => (isError(line) ? [index] : []));
  const [first = lines.findIndex((line) => line !== '')] = errors;
  if (first === -1) return ending;
  const details = lines
    .slice(first + 1)
    .filter((line, index, rest) => isDetail(line) && belongs(rest, index))
    .map(shownDetail);
  const said = [lines[first] ?? '', ...details].join('; ').replaceAll(/\s+/g, ' ');
  const others = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  return `${said.length > longest ? `${said.slice(0, longest)}…` : said}${others}`;
}

/** `pg_restore: error: …`, `psql:<stdin>:12: ERROR:  …`; a server speaks its own language. Warnings are none. */
function isError(line: string): boolean {
  if (line.startsWith('pg_restore: ')) return /^pg_restore: (?:error|fatal): (?!a worker process died)/.test(line);
  return /^psql(?::<stdin>:\d+)?: (?!WARNING|NOTICE|INFO|LOG|DEBUG|warning:)/.test(line);
}

function isDetail(line: string): boolean {
  return /^(?:DETAIL|HINT): /.test(line);
}

/** Whether only more of the same message stands before the line. */
function belongs(lines: readonly string[], index: number): boolean {
  return !lines.slice(0, index).some((line) => /^(?:pg_restore|psql)\S*: /.test(line));
}
