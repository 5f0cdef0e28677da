import { hash, randomBytes } from 'node:crypto';

/** Bytes of a hash that are kept: finding two names with the same 128 bits is infeasible. */
const digestLength = 16;

/** A set of names. It keeps a hash of each: 24 bytes, however long the name is. */
export interface NameSet {
  /** @returns the number of the name, counted from 0; the existing number if it was added before */
  add(name: string): number;
  /** @returns the number of the name; null if it was not added */
  find(name: string): number | null;
  readonly size: number;
}

/** @param most the largest number of names that will be added */
export function openNameSet(most: number): NameSet {
  // a secret key: an attacker cannot choose names that collide
  const salt = randomBytes(16).toString('latin1');
  const digests = Buffer.alloc(most * digestLength);
  let slots = 4;
  while (slots < most * 2) slots *= 2;
  /** A hash table with open addressing: the number of a name, plus one. */
  const table = new Uint32Array(slots);
  let size = 0;

  const locate = (digest: Buffer): number => {
    for (let slot = digest.readUInt32LE(0) % slots; ; slot = (slot + 1) % slots) {
      const number = (table[slot] ?? 0) - 1;
      const at = number * digestLength;
      if (number < 0 || digest.equals(digests.subarray(at, at + digestLength))) return slot;
    }
  };
  const digestOf = (name: string): Buffer => hash('sha256', salt + name, 'buffer').subarray(0, digestLength);
  return {
    add(name) {
      const digest = digestOf(name);
      const slot = locate(digest);
      const known = table[slot] ?? 0;
      if (known > 0) return known - 1;
      digest.copy(digests, size * digestLength);
      table[slot] = ++size;
      return size - 1;
    },
    find(name) {
      const number = table[locate(digestOf(name))] ?? 0;
      return number === 0 ? null : number - 1;
    },
    get size() {
      return size;
    },
  };
}
