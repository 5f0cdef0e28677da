import type { Answer } from '../schema/server-settings.ts';
import { text } from './rows.ts';
import type { Row } from './session.ts';

/** A row that answers a `Question`. */
export function readAnswer(row: Row): Answer {
  return { fault: text(row, 'fault'), table: text(row, 'table'), value: text(row, 'value') };
}
