import { createHash } from 'node:crypto';
import { Transform } from 'node:stream';
import { headerBytes, timeInHeader } from './header.ts';

/** A stream that passes a dump through unchanged, and the digest of its content. */
export interface DumpDigest {
  readonly stream: Transform;
  /** The SHA-256 of the content in hexadecimal; valid after the stream has ended. */
  readonly digest: () => string;
}

/** The statement that sets the position of a sequence, after the four bytes of its length. */
const positionOfSequence = /[^]{4}SELECT pg_catalog\.setval\('((?:[^']|'')*)', \d+, (?:true|false)\);/g;
/** An upper limit for the bytes of such a statement. */
const longestStatement = 1024;

/**
 * Computes a digest that is equal for two dumps of the same content. pg_dump writes rows in their physical order and
 * objects sorted by name and dependency, so such dumps differ only in the time in the header, which is left out.
 * Positions of sequences are also left out: a transaction that is rolled back moves them and changes nothing else.
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
    let end = all ? text.length : Math.max(0, text.length - longestStatement);
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
