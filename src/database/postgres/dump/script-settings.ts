import { randomBytes } from 'node:crypto';
import { Transform } from 'node:stream';
import type { DumpStatement } from './statement.ts';

/** Which settings of a script are changed before psql gets it. */
export interface ScriptSettings {
  /** Whether to leave out `SET transaction_timeout`: pg_restore 17 and later write it, servers before 17 refuse it. */
  readonly withoutTransactionTimeout: boolean;
  /**
   * The encoding of the database that is loaded. It replaces SQL_ASCII as the client encoding of a dump: with
   * SQL_ASCII, COPY would accept bytes that are invalid in the database.
   */
  readonly encoding: string;
}

/** For a script that is only read and never sent to a server. */
export const unchangedSettings: ScriptSettings = { withoutTransactionTimeout: false, encoding: 'UTF8' };

/** Changes the settings in a statement of a dump. @returns it as SQL */
export function adaptStatement(
  statement: string,
  parsed: DumpStatement,
  { withoutTransactionTimeout, encoding }: ScriptSettings,
): string {
  if (withoutTransactionTimeout && statement === 'SET transaction_timeout = 0;\n') return '';
  const isUnknown = parsed.kind === 'encoding' && parsed.encoding === 'SQL_ASCII';
  return isUnknown ? `SET client_encoding = '${encoding}';\n` : statement;
}

/** Lines that pg_restore writes before the first object: comments, settings, `\restrict`. */
const preamble = /^(?:--.*|SET .*|SELECT pg_catalog\.set_config\(.*|\\restrict \w+|)$/;
/** The setting in a dump of a database that does not know the encoding of its texts (SQL_ASCII). */
export const unknownEncoding = "SET client_encoding = 'SQL_ASCII';";
/** The largest number of bytes of a preamble; a real one has less than 1,000. */
const preambleLimit = 65_536;

/**
 * Prepares the SQL of pg_restore for psql. Only the settings at the beginning are read; everything from the first
 * statement on passes unchanged.
 *
 * `\restrict` prevents psql from running meta-commands (`\!`) that a manipulated dump contains. It is inserted at the
 * beginning if pg_restore is too old to write it.
 */
export function adaptSettings(options: ScriptSettings): Transform {
  let head: Buffer | null = Buffer.alloc(0);
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (head === null) return done(null, chunk);
      head = Buffer.concat([head, chunk]);
      if (!isComplete(head)) return done();
      const adapted = adaptPreamble(head, options);
      head = null;
      return done(null, adapted);
    },
    flush: (done) => (head === null ? done() : done(null, adaptPreamble(head, options))),
  });
}

/**
 * The command that makes psql refuse its meta-commands (`\!`) until it reads `\unrestrict` with the same random key,
 * which no archive can know. It must be on a separate line.
 */
export function restrict(): string {
  return String.raw`\restrict ${randomBytes(16).toString('hex')}`;
}

/** Whether the whole preamble was read: a complete line of something else follows. */
function isComplete(head: Buffer): boolean {
  return head.length > preambleLimit || splitPreamble(head).rest.includes('\n');
}

// latin1 keeps all bytes unchanged: the encoding of the dump is not known yet
function splitPreamble(head: Buffer): { readonly lines: readonly string[]; readonly rest: string } {
  const lines = head.toString('latin1').split('\n');
  const last = lines.length - 1;
  const end = lines.findIndex((line, index) => index === last || !preamble.test(line));
  return { lines: lines.slice(0, end), rest: lines.slice(end).join('\n') };
}

function adaptPreamble(head: Buffer, { withoutTransactionTimeout, encoding }: ScriptSettings): Buffer {
  const { lines, rest } = splitPreamble(head);
  const kept = lines
    .filter((line) => !(withoutTransactionTimeout && line === 'SET transaction_timeout = 0;'))
    .map((line) => (line === unknownEncoding ? `SET client_encoding = '${encoding}';` : line));
  const restricted = kept.some((line) => line.startsWith(String.raw`\restrict `));
  const first = restricted ? [] : [restrict()];
  return Buffer.from([...first, ...kept, rest].join('\n'), 'latin1');
}
