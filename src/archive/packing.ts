import { pipeline } from 'node:stream/promises';
import { constants, createDeflateRaw } from 'node:zlib';

/** Takes the content of one member and sends on what goes into the archive. */
export interface Packing {
  write(chunk: Buffer): Promise<void>;
  end(): Promise<void>;
}

type Send = (chunk: Buffer) => Promise<void>;

/** For what is compressed already. */
export function storing(send: Send): Packing {
  return { write: send, end: async () => undefined };
}

// Whoever reads an archive takes a member for a bomb that is 200 times larger than its packed form, from a megabyte on.
const highestRatio = 100;
const ratioCounts = 500_000;
const usualLevel = 6;

/**
 * Deflates. What is made of the same bytes again and again is stored in between: it must not look as if it were made
 * to fill a disk.
 */
export function deflating(send: Send): Packing {
  const deflate = createDeflateRaw({ level: usualLevel });
  let [size, packed, level] = [0, 0, usualLevel];
  const sent = pipeline(deflate, async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      packed += chunk.length;
      await send(chunk);
    }
  });
  // whoever writes hears of it
  sent.catch(() => undefined);
  const done = (step: (heard: (error?: Error | null) => void) => void): Promise<void> =>
    Promise.race([new Promise<void>((resolve, reject) => step((error) => (error ? reject(error) : resolve()))), sent]);

  return {
    async write(chunk) {
      size += chunk.length;
      await done((heard) => void deflate.write(chunk, heard));
      const wanted = size > ratioCounts && size > packed * highestRatio ? 0 : usualLevel;
      if (wanted === level) return;
      level = wanted;
      await done((heard) => deflate.params(level, constants.Z_DEFAULT_STRATEGY, () => heard()));
    },
    async end() {
      deflate.end();
      await sent;
    },
  };
}
