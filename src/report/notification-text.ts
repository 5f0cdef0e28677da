import { capitalize } from './next-steps.ts';
import type { RunRecord } from './run-record.ts';
import { stepsInWords } from './safety.ts';

/** What the owner is told of a run. */
export interface Message {
  readonly title: string;
  /** Lines: the banner, or what was done. */
  readonly text: string;
}

/** What is told of a run that ended well. @param command its name */
export function describeSuccess(
  command: string,
  record: Pick<RunRecord, 'database' | 'steps'>,
  changed: boolean,
): Message {
  const where = record.database === null ? '' : `: ${record.database.name}`;
  const done = stepsInWords(record.steps);
  const nothing = changed ? 'The database was changed.' : 'Nothing was changed in the database.';
  return {
    title: changed ? `The database was changed by ${command}${where}` : `${capitalize(command)} ended well${where}`,
    text: done.length === 0 ? nothing : done.map((clause) => `${capitalize(clause)}.`).join('\n'),
  };
}

/** Where the server of PostgreSQL, or a client program, quotes what stands in a row. */
const quotedValues: readonly (readonly [RegExp, string])[] = [
  // invalid input syntax for type integer: "…"; COPY users, line 3, column email: "…"
  [/(: *\s)"(?:[^"]|"")*"/g, '$1"***"'],
  // value "…" is out of range for type integer
  [/\b(value )"(?:[^"]|"")*"/gi, '$1"***"'],
  // Key (email)=(…) already exists.
  [/(\)=\()[^)]*\)/g, '$1***)'],
  // Failing row contains (…).
  [/(\brow contains \()[\s\S]*?\)(?=\.|\n|$)/gi, '$1***)'],
];

/** Takes values of rows out of a text that leaves the machine. Names of tables and columns stay. */
export function withoutRows(text: string): string {
  return quotedValues.reduce((shown, [pattern, replacement]) => shown.replaceAll(pattern, replacement), text);
}

/** The lines of the log about one recipient. @param place scheme and host alone */
export const told = (place: string): string => `The owner was told at ${place}.`;
export const notTold = (place: string, reason: string): string =>
  `The owner could not be told at ${place}: ${reason}. This does not change the exit code.`;
export const answered = (status: number): string => {
  if (status >= 300 && status < 400) return `it answered ${status} and names another address: give that one`;
  return `it answered ${status}`;
};
export const noAnswer = (milliseconds: number): string => `no answer within ${milliseconds / 1000} seconds`;
export const stoppedWaiting = 'the run was stopped meanwhile';
/** The last line of a message that was cut. */
export const cutShort = '… (the log has the rest)';
export const describeUntold = (reason: string): string => `The owner could not be told: ${reason}.`;

/** A file about the end of a run that could not be left. @param what the report, the metrics */
export function describeUnwritten(what: string, file: string, reason: string): string {
  return `WARNING: the ${what} could not be written to ${file}: ${reason}\n`;
}
