import { createWriteStream, fstatSync } from 'node:fs';
import { type Readable, Writable } from 'node:stream';
import { hasCode } from '../errors/error-code.ts';
import { Failure } from '../errors/failure.ts';
import { readerGone } from '../report/backup-messages.ts';
import { streamTexts } from '../report/command-line.ts';

/** Standard output, for an archive. */
export interface ArchiveOutput {
  readonly stream: Writable;
  /** Bytes that have been written. */
  readonly written: () => number;
}

/** Bytes that are buffered at most. */
const maxBuffered = 512 * 1024;

/** Opens standard output for an archive. @throws Failure `usage` if it is a terminal */
export function archiveOutput(): ArchiveOutput {
  if (process.stdout.isTTY) throw new Failure({ kind: 'usage', message: streamTexts.outputIsTerminal });
  const { target, end } = openTarget();
  let written = 0;
  const stream = new Writable({
    highWaterMark: maxBuffered,
    write(chunk: Buffer, _encoding, done) {
      target.write(chunk, (error) => {
        if (!error) written += chunk.length;
        done(hasCode(error, 'EPIPE') ? new Error(readerGone) : error);
      });
    },
    final: (done) => end(done),
  });
  return { stream, written: () => written };
}

interface OutputTarget {
  readonly target: Writable;
  readonly end: (done: (error?: Error | null) => void) => void;
}

/** Opens a stream for files, because Node's own stdout does not notice a short write, as on a full disk. */
function openTarget(): OutputTarget {
  const stats = fstatSync(1);
  if (stats.isFIFO() || stats.isSocket()) return { target: process.stdout, end: (done) => done() };
  const target = createWriteStream('', { fd: 1, autoClose: false, flush: stats.isFile() });
  // the writer gets the error through its callback
  target.on('error', () => undefined);
  return { target, end: (done) => void target.end(done) };
}

/** Standard input, for an archive. @throws Failure `usage` if it is a terminal */
export function archiveInput(): Readable {
  if (process.stdin.isTTY) throw new Failure({ kind: 'usage', message: streamTexts.inputIsTerminal });
  return process.stdin;
}
