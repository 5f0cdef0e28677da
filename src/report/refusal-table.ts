import type { Refusal } from '../model/plan.ts';
import type { Notice } from './banner.ts';
import type { Describers } from './by-kind.ts';
import type { Commands } from './commands.ts';
import type { Advice } from './next-steps.ts';

/** The facts that the words for a refused state use. */
export interface RefusalContext {
  readonly database: string;
  readonly refusal: Refusal;
  readonly advice: Advice;
  readonly commands: Commands;
}

/** For each state that the gate can refuse, its notice. */
export type RefusalTable = Describers<Refusal['state'], RefusalContext, Notice>;
