import type { Cause } from '../../model/cause.ts';
import { shownDetail } from './server-detail.ts';

/** A client program (pg_dump, pg_restore, psql) that failed, in its own words. */
export class ToolFailed extends Error {
  override readonly name = 'ToolFailed';
}

/**
 * What the words of a client program tell. Its own are English, for it is started so; those of the server are in the
 * server's language, but for the names of settings. Of several that fit the first counts: who is refused because of a
 * limit could not connect either.
 */
const telling: readonly (readonly [PlainCause, RegExp])[] = [
  ['lock-table', /max_(?:pred_)?locks_per_transaction/],
  ['connections', /too many (?:clients|connections)|remaining connection slots/],
  ['disk-full', /(?:ERROR|PANIC|FATAL): .*(?:No space left on device|disk full)/s],
  ['memory', /(?:ERROR|FATAL): +out of (?:shared )?memory/],
  ['lock-timeout', /canceling statement due to lock timeout/],
  ['cancelled', /canceling statement due to/],
  ['deadlock', /deadlock detected/],
  [
    'connection-lost',
    new RegExp(
      [
        'server closed the connection unexpectedly|connection to server was lost|no connection to the server',
        'could not (?:receive|send) data (?:from|to) server|SSL (?:connection has been closed|SYSCALL error)',
        'terminating connection|the database system is (?:starting up|shutting down|in recovery)',
        'Connection (?:refused|reset by peer|timed out)|could not translate host name',
      ].join('|'),
    ),
  ],
];

type PlainCause = Exclude<Cause['kind'], 'dependents' | 'event-triggers'>;

/** @returns null where its words tell nothing that is known */
export function toolCause({ message }: ToolFailed): Cause | null {
  const kind = telling.find(([, words]) => words.test(message))?.[0];
  if (kind === undefined) return null;
  return kind === 'lock-timeout' ? { kind, blockers: [] } : { kind };
}

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
