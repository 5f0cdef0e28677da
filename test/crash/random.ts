import { createHash } from 'node:crypto';

/** Pseudo-random numbers from 0 to 1 that depend only on the seed (mulberry32). */
export function randomOf(seed: number, topic: string): () => number {
  let state = createHash('sha256').update(`${seed} ${topic}`).digest().readUInt32LE();
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
