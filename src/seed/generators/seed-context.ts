import type { Day } from '../calendar.ts';
import type { DiceFor } from '../random.ts';

/** What every row of a run may depend on. */
export interface Scene {
  readonly dice: DiceFor;
  /** In the time zone of the settings, like the time entries. */
  readonly today: Day;
  /** The time of the run in UTC, as the application stamps rows. */
  readonly utc: string;
  /** The same on the clock on the wall: time entries are stamped with that. */
  readonly local: string;
  /** ISO 4217. */
  readonly currency: string;
}

/** `created_at` and `updated_at` of a new row. */
export const stamps = ({ utc }: Scene): { created_at: string; updated_at: string } => ({
  created_at: utc,
  updated_at: utc,
});

/** Numbers from 1 on. */
export const numbersTo = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index + 1);

/** An amount that was counted in hundredths. */
export const money = (hundredths: number): number => Math.round(hundredths) / 100;

/** The mark by which a numbered row is recognised, whatever else has been made of it. */
export const mark = (number: number): string => `(dev ${number})`;
