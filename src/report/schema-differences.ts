import { describeAttachment } from './attachments.ts';
import type { Mismatch } from '../model/difference.ts';
import type { Obstacle, Unsafe } from '../model/repair.ts';
import type { State, Identity } from '../model/state.ts';
import type { RepairPlan } from '../repair/repair-step.ts';
import type { Commands } from './commands.ts';
import { printable } from '../platform/printable.ts';
import { list, listRows, listSets } from './format.ts';
import type { JsonObject } from './output.ts';

export interface DifferenceReport {
  readonly kind: Mismatch['kind'];
  /** `table`, `table.column`, or the name of a constraint, index or type with its table. */
  readonly object: string;
  readonly message: string;
}

/** Puts a difference into words. */
export function describeDifference(difference: Mismatch): DifferenceReport {
  return { kind: difference.kind, object: objectOf(difference), message: differenceText(difference) };
}

function objectOf(difference: Mismatch): string {
  switch (difference.kind) {
    case 'unexpected-table':
    case 'missing-table':
    case 'unreadable-table':
    case 'missing-rows':
      return difference.table;
    case 'unexpected-column':
    case 'missing-column':
    case 'different-type':
    case 'narrower-type':
    case 'must-be-not-null':
    case 'must-be-nullable':
    case 'missing-sequence':
    case 'unknown-label':
    case 'sequence-behind':
      return `${difference.table}.${difference.column}`;
    case 'missing-constraint':
    case 'missing-index':
    case 'invalid-index':
      return `${difference.table}.${difference.name}`;
    case 'obstruction':
      return describeAttachment(difference.attachment).object;
    case 'missing-enum':
      return difference.name;
  }
}

function differenceText(difference: Mismatch): string {
  const object = objectOf(difference);
  switch (difference.kind) {
    case 'unexpected-table':
      return `table ${object} belongs to another revision`;
    case 'unexpected-column':
      return `column ${object} belongs to another revision`;
    case 'missing-table':
      return `table ${object} is missing`;
    case 'unreadable-table':
      return `this user may not read table ${object}`;
    case 'missing-column':
      return `column ${object} (${difference.expected.type}) is missing`;
    case 'different-type':
      return `column ${object} is ${difference.found}, and should be ${difference.expected}`;
    case 'narrower-type':
      return `column ${object} is ${difference.found}, which holds less than ${difference.expected}`;
    case 'must-be-not-null':
      return `column ${object} allows NULL, and should not`;
    case 'must-be-nullable':
      return `column ${object} does not allow NULL, and should`;
    case 'missing-sequence':
      return `column ${object} has lost the sequence that numbers new rows`;
    case 'missing-constraint': {
      const { table, name, definition } = difference;
      return `constraint of ${table} is missing: ${name === definition ? definition : `${name}: ${definition}`}`;
    }
    case 'missing-index':
      return `index ${difference.name} of ${difference.table} is missing: ${difference.definition}`;
    case 'invalid-index':
      return `index ${difference.name} of ${difference.table} is invalid: its creation was interrupted`;
    case 'unknown-label':
      return `column ${object} contains "${difference.label}", which the application does not know`;
    case 'sequence-behind':
      return `the sequence of ${object} is behind its rows: new rows would get numbers that exist already`;
    case 'missing-rows':
      return `table ${object} has none of the rows that its revision inserts`;
    case 'obstruction':
      return describeAttachment(difference.attachment).message;
    case 'missing-enum':
      return `enumeration type ${object} (${difference.values.join(', ')}) is missing or lacks values`;
  }
}

/** Says what was done about a difference: `added the missing index …`. The object is that of `describeDifference`. */
export function describeRepaired(difference: Mismatch): { object: string; message: string } {
  return { object: describeDifference(difference).object, message: repairText(difference) };
}

function repairText(difference: Mismatch): string {
  switch (difference.kind) {
    case 'missing-table':
      return `added the missing table ${difference.table}`;
    case 'missing-column':
      return `added the missing column ${difference.table}.${difference.column} (${difference.expected.type})`;
    case 'different-type':
    case 'narrower-type': {
      const { table, column, expected, found } = difference;
      return `changed the type of column ${table}.${column} from ${found} to ${expected}`;
    }
    case 'must-be-not-null':
      return `set column ${difference.table}.${difference.column} to NOT NULL`;
    case 'must-be-nullable':
      return `allowed NULL in column ${difference.table}.${difference.column}`;
    case 'missing-sequence':
      return `added the missing sequence of column ${difference.table}.${difference.column}`;
    case 'missing-constraint': {
      const { table, name, definition } = difference;
      const label = name === definition ? definition : `${name}: ${definition}`;
      return `added the missing constraint of ${table}: ${label}`;
    }
    case 'missing-index':
      return `added the missing index ${difference.name} of ${difference.table}: ${difference.definition}`;
    case 'invalid-index':
      return `built the invalid index ${difference.name} of ${difference.table} again`;
    case 'missing-enum':
      return `completed the enumeration type ${difference.name} (${difference.values.join(', ')})`;
    case 'sequence-behind':
      return `moved the sequence of ${difference.table}.${difference.column} past the existing rows`;
    // these are refused, never repaired
    case 'unexpected-table':
    case 'unexpected-column':
    case 'unreadable-table':
    case 'missing-rows':
    case 'unknown-label':
    case 'obstruction':
      return `corrected: ${describeDifference(difference).message}`;
  }
}

/** How many differences a banner lists; `status --json` lists all. */
export const shownDifferences = 20;

/** A difference and the reason why it is not repaired, without a full stop. */
export function describeUnsafe({ difference, obstacle }: Unsafe): string {
  return `${describeDifference(difference).message}: ${reasonOf(obstacle)}`;
}

function reasonOf(obstacle: Obstacle): string {
  switch (obstacle.kind) {
    case 'rows':
      return faultyRows(obstacle);
    case 'type':
      return 'changing the type could lose data';
    case 'key-type':
      return 'SQLite numbers new rows only if the type of the key is INTEGER';
    case 'rights':
      return 'only its owner or a superuser can allow that';
    case 'name-taken':
      return `a ${obstacle.by} has that name`;
    case 'in-other-schema':
      return `schema ${obstacle.schemas.join(' and schema ')} has this table, with rows`;
    case 'under-other-name':
      return `it is called ${printable(obstacle.name)} here`;
    case 'other-key':
      return `the table has another primary key: ${obstacle.key}`;
    case 'part-of-key':
      return `it belongs to the table's ${obstacle.key}`;
    case 'owners':
      return "it is not the application's, and prevents the application from writing";
    case 'dependents':
      return `other objects depend on it: ${obstacle.objects.map(({ what, name }) => `the ${what} ${name}`).join(', ')}`;
    case 'not-made':
      return 'the revisions that insert them did not run here, or the rows were deleted';
    case 'waits-for':
      return `${obstacle.name} has to be corrected first`;
    case 'rejected':
      return `the database refuses it: ${obstacle.reason}`;
  }
}

function faultyRows({ fault, rows }: Extract<Obstacle, { kind: 'rows' }>): string {
  const many = rows === 1 ? '1 row' : `${rows} rows`;
  switch (fault) {
    case 'null':
      return `${many} without a value`;
    case 'duplicate':
      return rows === 1 ? '1 value exists more than once' : `${rows} values exist more than once`;
    case 'orphan':
      return `${many} referring to rows that do not exist`;
    case 'violation':
      return `${many} breaking the rule`;
    case 'no-value':
      return `${many} that would have no value, because there is no default`;
  }
}

type Statements = Pick<Commands, 'statement'>;

/** How to correct all of it by hand, as an option of a banner. */
export function manualRepairOption(unsafe: readonly Unsafe[], commands: Statements): string {
  let statements = 0;
  // the comments after a statement belong to it
  const sql = unsafe
    .flatMap((each) => sqlFor(each, commands))
    .filter((line) => {
      if (!line.startsWith('--')) statements++;
      return statements <= shownDifferences;
    });
  return [
    'Correct these by hand, then start again: db-init repairs the rest.' +
      (sql.length > 0 ? ' Each SELECT finds rows. Read the statements after it before you run them.' : ''),
    ...sql.flatMap((statement) => statement.split('\n')).map((line) => `  ${line}`),
  ].join('\n');
}

/** The statements for a person: first the query that finds the rows, then the correction. One statement per line. */
export function sqlFor({ obstacle, remedy }: Unsafe, { statement }: Statements): readonly string[] {
  const find = obstacle.kind === 'rows' && obstacle.fault !== 'no-value' ? [obstacle.find] : [];
  return [...find, ...remedy].map(statement);
}

/** A repair as SQL with comments: what would be done, or why nothing would be. @param statements those of its steps */
export function renderRepair(plan: RepairPlan, statements: readonly string[], commands: Statements): string {
  if (plan.unsafe.length > 0) {
    const blocks = plan.unsafe.flatMap((unsafe) => [
      `-- ${oneLine(describeUnsafe(unsafe))}`,
      ...sqlFor(unsafe, commands),
      '',
    ]);
    const others = plan.steps.length === 0 ? [] : [`-- These would be repaired after that:`, ''];
    return text([
      '-- NOTHING WOULD BE CHANGED: these differences cannot be repaired safely.',
      '-- Correct them by hand. Each SELECT finds the rows that prevent the repair.',
      '',
      ...blocks,
      ...others,
      ...stepsOf(plan, statements, commands),
    ]);
  }
  return text(plan.steps.length === 0 ? ['-- Nothing is missing.'] : stepsOf(plan, statements, commands));
}

/** The same for programs: the problems, and the statements of the repair. */
export function describeRepair(plan: RepairPlan, statements: readonly string[], commands: Statements): JsonObject {
  const problems = plan.unsafe.map((unsafe) => ({
    ...describeDifference(unsafe.difference),
    message: describeUnsafe(unsafe),
    sql: sqlFor(unsafe, commands),
  }));
  return { problems, statements };
}

function stepsOf({ steps }: RepairPlan, statements: readonly string[], { statement }: Statements): readonly string[] {
  return [
    ...steps.map(({ difference }) => `-- ${oneLine(describeDifference(difference).message)}`),
    ...statements.map(statement),
  ];
}

const oneLine = (sentence: string): string => printable(sentence.replaceAll(/\s+/g, ' '));

const text = (lines: readonly string[]): string => `${lines.join('\n')}\n`;

/** Why `repair` does nothing. */
export function describeNotAtHead(state: State['kind']): string {
  return (
    `The database is ${state}, and only a database at the last revision is repaired. ` +
    'The gate migrates it to the last revision, and then adds the missing parts.'
  );
}

type Match = Extract<Identity, { kind: 'match' }>;

/** The revision found for an unversioned database, and remarks about it. */
export function describeMatch({ revisions, alike, missing, begun, own }: Match): readonly string[] {
  const others = alike.length === 0 ? '' : ` The schema of ${listSets(alike)} is the same.`;
  return [
    `The schema is that of ${listRows(revisions)}.${others}`,
    ...note('Parts of the next revision that exist already', begun.map(describeDifference)),
    ...note('Missing, and added at the end', missing.map(describeDifference)),
    ...(own.length === 0 ? [] : [`Not TimeTracker's, and not changed: ${list(own)}.`]),
  ];
}

function note(title: string, parts: readonly { readonly object: string }[]): readonly string[] {
  return parts.length === 0 ? [] : [`${title}: ${list(parts.map(({ object }) => object))}.`];
}

/** Lists differences; those that cannot be repaired come first, with the reason. */
export function listDifferences(differences: readonly Mismatch[], unsafe: readonly Unsafe[] = []): readonly string[] {
  const explained = new Set(unsafe.map(({ difference }) => describeDifference(difference).message));
  const others = differences.map((difference) => describeDifference(difference).message);
  const lines = [...unsafe.map(describeUnsafe), ...others.filter((message) => !explained.has(message))];
  const shown = lines.slice(0, shownDifferences).map((line) => `- ${line}`);
  const more = lines.length - shown.length;
  return more > 0 ? [...shown, `- and ${more} more`] : shown;
}
