import { createHash } from 'node:crypto';
import { Transform } from 'node:stream';
import { headerBytes, timeInHeader } from './dump-header.ts';

/** A stream that a dump flows through, and what its content is known by. */
export interface DumpDigest {
  readonly stream: Transform;
  /** A SHA-256 of what the dump holds, in hexadecimal digits; to be asked when it has ended. */
  readonly digest: () => string;
}

/** The statement that sets a sequence, after the four bytes that tell how long it is. */
const positionOfSequence = /[^]{4}SELECT pg_catalog\.setval\('((?:[^']|'')*)', \d+, (?:true|false)\);/g;
/** More bytes than such a statement has. */
const longest = 1024;

/**
 * Tells whether two dumps hold the same: pg_dump writes rows in the order in which they lie, and all else in the order
 * of names and dependencies, so that they differ in the time in the header only. The positions of sequences do not
 * count: a transaction that is rolled back moves them, and changes nothing.
 */
export function openDumpDigest(): DumpDigest {
  const hash = createHash('sha256');
  let pending = Buffer.alloc(0);
  let inHeader = true;
  const take = (all: boolean): void => {
    let text = pending.toString('latin1');
    if (inHeader) {
      const time = timeInHeader(pending) ?? { from: 0, to: 0 };
      text = text.slice(0, time.from) + text.slice(time.to);
      inHeader = false;
    }
    let end = all ? text.length : Math.max(0, text.length - longest);
    let from = 0;
    for (const match of text.matchAll(positionOfSequence)) {
      if (match.index >= end) break;
      hash.update(`${text.slice(from, match.index)}setval ${match[1] ?? ''}`, 'latin1');
      from = match.index + match[0].length;
      end = Math.max(end, from);
    }
    hash.update(text.slice(from, end), 'latin1');
    pending = Buffer.from(text.slice(end), 'latin1');
  };
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      pending = Buffer.concat([pending, chunk]);
      if (pending.length >= headerBytes) take(false);
      done(null, chunk);
    },
    flush(done) {
      take(true);
      done();
    },
  });
  return { stream, digest: () => hash.digest('hex') };
}
