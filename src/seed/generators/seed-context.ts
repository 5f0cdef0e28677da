import type { Day } from '../calendar.ts';
import type { RandomFor } from '../random.ts';

/** The inputs of generated rows. */
export interface SeedContext {
  readonly random: RandomFor;
  /** Today in the time zone of the settings, like the time entries. */
  readonly today: Day;
  /** The time of the run in UTC, as the application stamps rows. */
  readonly utc: string;
  /** The local time of the run: time entries are stamped with it. */
  readonly local: string;
  /** ISO 4217. */
  readonly currency: string;
}

/** `created_at` and `updated_at` of a new row. */
export const stamps = ({ utc }: SeedContext): { created_at: string; updated_at: string } => ({
  created_at: utc,
  updated_at: utc,
});

/** Numbers from 1 on. */
export const numbersTo = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index + 1);

/** An amount that was counted in hundredths. */
export const money = (hundredths: number): number => Math.round(hundredths) / 100;

/** The tag in a numbered row. The next run recognises the row by it, whatever else was changed in the row. */
export const seedTag = (number: number): string => `(dev ${number})`;
