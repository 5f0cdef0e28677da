/** Pseudo-random choices, which are the same on every machine and in every run. */
export interface RandomChoice {
  /** A whole number from `least` to `most`, both included. */
  whole(least: number, most: number): number;
  /** One of the items. @throws RangeError if the list is empty */
  pick<Item>(items: readonly Item[]): Item;
}

/**
 * Returns separate random choices for each row. They do not depend on the number of other rows, so a larger data set
 * contains the smaller one.
 */
export type RandomFor = (what: string, number: number) => RandomChoice;

/** Creates the generator of choices from a seed number. */
export function randomFor(seed: number): RandomFor {
  return (what, number) => {
    const next = mulberry32(hash(`${seed} ${what} ${number}`));
    const whole = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1));
    return { whole, pick: (items) => at(items, whole(0, items.length - 1)) };
  };
}

/** An item of a list; after the last item, the index starts again at the first. @throws RangeError if it is empty */
export function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index % items.length];
  if (item === undefined) throw new RangeError('the list to choose from is empty');
  return item;
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  return value >>> 0;
}

/** mulberry32, a pseudo-random generator of numbers from 0 to below 1 with 32 bits of state. */
function mulberry32(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
