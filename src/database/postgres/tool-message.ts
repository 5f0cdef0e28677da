import { dumpReasons } from '../../report/dump-reasons.ts';
import type { Cause } from '../../model/cause.ts';
import { shownDetail } from './server-detail.ts';

/** A client program (pg_dump, pg_restore, psql) failed. The message is that of the program. */
export class ToolFailed extends Error {
  override readonly name = 'ToolFailed';
}

/**
 * Causes by patterns in the messages of client programs. Their own messages are English, because they are started with
 * LC_ALL=C; messages of the server may be in another language, except for names of settings. The first match counts: a
 * refusal because of a limit is also a failed connection.
 */
const causePatterns: readonly (readonly [PlainCause, RegExp])[] = [
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

/** Determines the cause of a failure from the message of the program. @returns null if no pattern matches */
export function toolCause({ message }: ToolFailed): Cause | null {
  const kind = causePatterns.find(([, words]) => words.test(message))?.[0];
  if (kind === undefined) return null;
  return kind === 'lock-timeout' ? { kind, blockers: [] } : { kind };
}

const longestMessage = 600;

/**
 * The important part of the stderr of pg_restore or psql: the first error with its details, and the number of the
 * others.
 * @param ending how the program ended, used if it wrote nothing
 */
export function toolMessage(stderr: string, ending: string): string {
  const lines = stderr.split('\n').map((line) => line.trimEnd());
  const errors = lines.flatMap((line, index) => (isError(line) ? [index] : []));
  const [first = lines.findIndex((line) => line !== '')] = errors;
  if (first === -1) return ending;
  const details = lines
    .slice(first + 1)
    .filter((line, index, rest) => isDetail(line) && belongsToFirst(rest, index))
    .map(shownDetail);
  const said = [lines[first] ?? '', ...details].join('; ').replaceAll(/\s+/g, ' ');
  const others = errors.length > 1 ? dumpReasons.moreErrors(errors.length - 1) : '';
  return `${said.length > longestMessage ? `${said.slice(0, longestMessage)}…` : said}${others}`;
}

/**
 * Recognises `pg_restore: error: …` and `psql:<stdin>:12: ERROR:  …`. The server may translate the word ERROR, so every
 * line of psql counts as an error unless it is a warning or a notice.
 */
function isError(line: string): boolean {
  if (line.startsWith('pg_restore: ')) return /^pg_restore: (?:error|fatal): (?!a worker process died)/.test(line);
  return /^psql(?::<stdin>:\d+)?: (?!WARNING|NOTICE|INFO|LOG|DEBUG|warning:)/.test(line);
}

function isDetail(line: string): boolean {
  return /^(?:DETAIL|HINT): /.test(line);
}

/** Whether the line belongs to the same message: no other message begins before it. */
function belongsToFirst(lines: readonly string[], index: number): boolean {
  return !lines.slice(0, index).some((line) => /^(?:pg_restore|psql)\S*: /.test(line));
}
