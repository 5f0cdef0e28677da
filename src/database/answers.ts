import type { Answer } from '../model/database-facts.ts';
import type { Row } from '../model/engine.ts';
import { text } from './rows.ts';

/** Reads a result row of a `Question`. */
export function readAnswer(row: Row): Answer {
  return { fault: text(row, 'fault'), table: text(row, 'table'), value: text(row, 'value') };
}
