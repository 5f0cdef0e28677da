import type { Day } from '../calendar.ts';
import type { RandomFor } from '../random.ts';

/** The inputs of generated rows. */
export interface SeedContext {
  readonly random: RandomFor;
  /** Today in the time zone of the settings, which time entries use, too. */
  readonly today: Day;
  /** The time of the run in UTC, which the application writes into `created_at` of most tables. */
  readonly utc: string;
  /** The local time of the run, for `created_at` of time entries. */
  readonly local: string;
  /** The ISO 4217 code of the currency. */
  readonly currency: string;
}

/** `created_at` and `updated_at` of a new row. */
export const stamps = ({ utc }: SeedContext): { created_at: string; updated_at: string } => ({
  created_at: utc,
  updated_at: utc,
});

/** The numbers from 1 to `count`. */
export const numbersTo = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index + 1);

/** Converts hundredths to an amount. */
export const money = (hundredths: number): number => Math.round(hundredths) / 100;

/** The tag in a numbered row. The next run recognises the row by it, even if other cells were changed. */
export const seedTag = (number: number): string => `(dev ${number})`;
