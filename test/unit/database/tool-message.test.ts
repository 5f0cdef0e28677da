import { describe, expect, it } from 'vitest';
import { toolCause, ToolFailed, toolMessage } from '../../../src/database/postgres/tool-message.ts';

const message = (...lines: readonly string[]): string => toolMessage(`${lines.join('\n')}\n`, 'it ended');

describe('the message of a tool', () => {
  it("is pg_restore's first error with its details, without the statement", () => {
    expect(
      message(
        'pg_restore: warning: something or other',
        'pg_restore: while PROCESSING TOC:',
        'pg_restore: from TOC entry 219; 1259 16561 TABLE t postgres',
        'pg_restore: error: could not execute query: ERROR:  type "x" does not exist',
        'LINE 2:     v x',
        '              ^',
        'HINT:  Look elsewhere.',
        'Command was: CREATE TABLE public.t (',
        '    v x',
        ');',
      ),
    ).toBe('pg_restore: error: could not execute query: ERROR: type "x" does not exist; HINT: Look elsewhere.');
  });

  it('counts further errors, but not the workers that end because of them', () => {
    expect(
      message(
        'pg_restore: error: first',
        'DETAIL:  here',
        'pg_restore: error: second',
        'DETAIL:  there',
        'pg_restore: error: a worker process died unexpectedly',
      ),
    ).toBe('pg_restore: error: first; DETAIL: here (and 1 more)');
  });

  it.each([
    [
      [
        'psql:<stdin>:3: WARNING:  careful',
        'psql:<stdin>:7: ERROR:  no',
        'DETAIL:  really',
        'CONTEXT:  COPY t, line 1',
      ],
      'psql:<stdin>:7: ERROR: no; DETAIL: really',
    ],
    [['psql:<stdin>:7: FEHLER:  nein'], 'psql:<stdin>:7: FEHLER: nein'],
    [['psql: error: connection to server failed: FATAL:  x'], 'psql: error: connection to server failed: FATAL: x'],
    [
      ['pg_restore: [archiver] unsupported version (1.16) in file header'],
      'pg_restore: [archiver] unsupported version (1.16) in file header',
    ],
    [['', 'sh: not found'], 'sh: not found'],
    [[''], 'it ended'],
  ])('is the error in %o', (lines, expected) => {
    expect(message(...lines)).toBe(expected);
  });

  it('contains no row and no key of a secret', () => {
    const failed = (detail: string) => message('pg_restore: error: ERROR:  no', `DETAIL:  ${detail}`);
    expect(failed('Failing row contains (1, ada, scrypt:x(y), t).')).toBe(
      'pg_restore: error: ERROR: no; DETAIL: Failing row contains (not shown).',
    );
    expect(failed('Fehlgeschlagene Zeile enthält (1, ada')).toBe(
      'pg_restore: error: ERROR: no; DETAIL: Fehlgeschlagene Zeile enthält (not shown)',
    );
    expect(failed('Key (token_hash)=(a)b) is duplicated.')).toBe(
      'pg_restore: error: ERROR: no; DETAIL: Key (token_hash)=(not shown) is duplicated.',
    );
    expect(failed('Key (lower(name), user_id)=(x, 1) already exists.')).toBe(
      'pg_restore: error: ERROR: no; DETAIL: Key (lower(name), user_id)=(x, 1) already exists.',
    );
  });

  it('is short', () => {
    expect(message(`pg_restore: error: ${'x'.repeat(5000)}`).length).toBeLessThan(650);
  });
});

describe('the cause in the output of a client program', () => {
  it.each([
    ['pg_dump: error: query failed: server closed the connection unexpectedly This probably means', 'connection-lost'],
    ['connection to server at "db" (10.0.0.2), port 5432 failed: Connection refused Is the server', 'connection-lost'],
    ['connection to server on socket "/x" failed: FATAL: the database system is shutting down', 'connection-lost'],
    ['psql:<stdin>:7: FATAL: terminating connection due to administrator command', 'connection-lost'],
    ['connection to server at "db", port 5432 failed: FATAL: sorry, too many clients already', 'connections'],
    ['FATAL: remaining connection slots are reserved for roles with the SUPERUSER attribute', 'connections'],
    ['ERROR: out of shared memory; HINT: You might need to increase "max_locks_per_transaction".', 'lock-table'],
    ['FEHLER: Shared Memory aufgebraucht; TIPP: Erhöhen Sie »max_locks_per_transaction«.', 'lock-table'],
    ['pg_restore: error: COPY failed: ERROR: could not extend file "base/1/2": No space left on device', 'disk-full'],
    ['ERROR: out of memory; DETAIL: Failed on request of size 8', 'memory'],
    ['ERROR: canceling statement due to lock timeout', 'lock-timeout'],
    ['ERROR: canceling statement due to statement timeout', 'cancelled'],
    ['pg_restore: error: could not write to output file: No space left on device', undefined],
    ['connection to server at "db", port 5432 failed: FATAL: password authentication failed for user "u"', undefined],
    ['pg_restore: error: ERROR: duplicate key value violates unique constraint "x"', undefined],
  ])('%s', (words, kind) => {
    expect(toolCause(new ToolFailed(words))?.kind).toBe(kind);
  });
});
