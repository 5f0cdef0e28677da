import { randomInt } from 'node:crypto';
import { randomOf } from '../crash/random.ts';

const { TEST_FAULTS_SEED: given } = process.env;
/** The seed of random choices; TEST_FAULTS_SEED repeats a run. */
const seed = given === undefined ? randomInt(1, 1_000_000) : Number(given);

/** Random choices. */
export interface Chance {
  /** A whole number below the bound. */
  below(bound: number): number;
  pick<Item>(items: readonly Item[]): Item;
  /** The bytes with one to four of them changed, removed, doubled or cut off. */
  mutate(bytes: Buffer): Buffer;
  mutateText(text: string): string;
}

/** The random choices for one topic. The seed is printed, so that a failure can be repeated. */
export function chanceOf(topic: string): Chance {
  console.log(`Chance in ${topic} is made of TEST_FAULTS_SEED=${seed}`);
  const next = randomOf(seed, topic);
  const below = (bound: number): number => Math.floor(next() * bound);
  const pick = <Item>(items: readonly Item[]): Item => {
    const item = items[below(items.length)];
    if (item === undefined) throw new Error('nothing to choose from');
    return item;
  };
  const change = (bytes: Buffer): Buffer => {
    const at = below(bytes.length);
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
    const length = 1 + below(pick([1, 8, 100]));
    const junk = Buffer.from(Array.from({ length }, () => below(256)));
    return pick([
      () => Buffer.concat([before, junk, after.subarray(length)]),
      () => Buffer.concat([before, after.subarray(length)]),
      () => Buffer.concat([before, junk, after]),
      () => Buffer.concat([before, after.subarray(0, length), after]),
      () =>
        Buffer.concat([before, Buffer.alloc(Math.min(length, after.length), pick([0, 0xff])), after.subarray(length)]),
      () => before,
    ])();
  };
  const mutate = (bytes: Buffer): Buffer => {
    let changed = bytes;
    for (let times = 1 + below(4); times > 0; times--) changed = change(changed);
    return changed;
  };
  const odd = [
    '',
    ' ',
    '\n',
    '%',
    '%zz',
    '%00',
    '@',
    ':',
    '/',
    '?',
    '#',
    '&',
    '=',
    '[',
    ']',
    "'",
    '"',
    '\\',
    ',',
    '\u{1F600}',
    '-',
    '{',
    '}',
    'null',
    '0',
    '1e999',
  ];
  const changeText = (text: string): string => {
    const at = below(text.length + 1);
    const length = pick([0, 0, 1, 1, 2, 10, 1000]);
    return (
      text.slice(0, at) + pick([...odd, text.slice(0, below(20)), 'x'.repeat(below(300))]) + text.slice(at + length)
    );
  };
  const mutateText = (text: string): string => {
    let changed = text;
    for (let times = 1 + below(3); times > 0; times--) changed = changeText(changed);
    return changed;
  };
  return { below, pick, mutate, mutateText };
}

/** Replaces one value in JSON by one of another kind, or removes it. */
export function mutateJson(value: unknown, chance: Chance): unknown {
  const junk: readonly unknown[] = [
    null,
    true,
    0,
    -1,
    1.5,
    1e21,
    '',
    'x',
    '\u0000',
    '../../x',
    [],
    {},
    [null],
    { a: [] },
  ];
  const isRecord = typeof value === 'object' && value !== null;
  if (!isRecord || chance.below(4) === 0) {
    return typeof value === 'string' && chance.below(2) === 0 ? chance.mutateText(value) : chance.pick(junk);
  }
  if (Array.isArray(value)) {
    const items: unknown[] = [...value];
    const at = chance.below(items.length + 1);
    items.splice(at, 1, ...chance.pick([[], [mutateJson(items[at], chance)], [items[at], items[at]]]));
    return items;
  }
  const entries = Object.entries(value);
  const at = chance.below(entries.length);
  const [key = 'key', old] = entries[at] ?? [];
  entries.splice(
    at,
    1,
    ...chance.pick<[string, unknown][]>([
      [],
      [[key, mutateJson(old, chance)]],
      [[key, mutateJson(old, chance)]],
      [[`${key}x`, old]],
    ]),
  );
  return Object.fromEntries(entries);
}
