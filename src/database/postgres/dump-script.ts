import { randomBytes } from 'node:crypto';
import { Transform } from 'node:stream';

/** What pg_restore writes before the first object: comments, settings, the lock on psql's own commands. */
const preamble = /^(?:--.*|SET .*|SELECT pg_catalog\.set_config\(.*|\\restrict \w+|)$/;
/** What a dump says of a database that does not know in which encoding its texts are. */
export const unknownEncoding = "SET client_encoding = 'SQL_ASCII';";
/** Bytes of a preamble at the most; a real one has less than one thousand. */
const limit = 65_536;

/** What psql is to be told otherwise. */
export interface ScriptOptions {
  /** pg_restore 17 and later set it, and servers before 17 refuse it. */
  readonly withoutTransactionTimeout: boolean;
  /**
   * The encoding of the database that is loaded. A dump in SQL_ASCII is read as that: as SQL_ASCII, COPY would let bytes
   * in that are no text there.
   */
  readonly encoding: string;
}

/**
 * Prepares the SQL that pg_restore writes for psql. Only the settings at its beginning are read; everything from the
 * first statement on passes through unseen.
 *
 * `\restrict` keeps psql from running commands of its own (`\!`) that somebody has hidden in a dump. Where pg_restore
 * is too old to write it, it is put in front.
 */
export function scriptForPsql(options: ScriptOptions): Transform {
  let head: Buffer | null = Buffer.alloc(0);
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (head === null) return done(null, chunk);
      head = Buffer.concat([head, chunk]);
      if (!isComplete(head)) return done();
      const settled = settle(head, options);
      head = null;
      return done(null, settled);
    },
    flush: (done) => (head === null ? done() : done(null, settle(head, options))),
  });
}

/**
 * The command with which psql runs none of its own commands (`\!`) any more, until it hears a secret that no archive
 * knows. It has its own line.
 */
export function restrict(): string {
  return String.raw`\restrict ${randomBytes(16).toString('hex')}`;
}

/** Whether the preamble is all there: a whole line of something else follows. */
function isComplete(head: Buffer): boolean {
  return head.length > limit || splitPreamble(head).rest.includes('\n');
}

// bytes as they are: the encoding of a dump is its own
function splitPreamble(head: Buffer): { readonly lines: readonly string[]; readonly rest: string } {
  const lines = head.toString('latin1').split('\n');
  const last = lines.length - 1;
  const end = lines.findIndex((line, index) => index === last || !preamble.test(line));
  return { lines: lines.slice(0, end), rest: lines.slice(end).join('\n') };
}

function settle(head: Buffer, { withoutTransactionTimeout, encoding }: ScriptOptions): Buffer {
  const { lines, rest } = splitPreamble(head);
  const kept = lines
    .filter((line) => !(withoutTransactionTimeout && line === 'SET transaction_timeout = 0;'))
    .map((line) => (line === unknownEncoding ? `SET client_encoding = '${encoding}';` : line));
  const restricted = kept.some((line) => line.startsWith(String.raw`\restrict `));
  const first = restricted ? [] : [restrict()];
  return Buffer.from([...first, ...kept, rest].join('\n'), 'latin1');
}
