import type { Obstacle, Unsafe } from '../model/repair.ts';
import type { State } from '../model/state.ts';
import type { RepairPlan } from '../repair/repair-step.ts';
import type { Commands } from './commands.ts';
import { printable } from '../platform/printable.ts';
import { describeDifference } from './differences.ts';
import type { JsonObject } from './output.ts';

/** How many differences a banner lists; `status --json` lists all. */
export const shownDifferences = 20;

/** What is wrong and why it is not mended, in a sentence without a full stop. */
export function describeUnsafe({ difference, obstacle }: Unsafe): string {
  return `${describeDifference(difference).message}: ${reasonOf(obstacle)}`;
}

function reasonOf(obstacle: Obstacle): string {
  switch (obstacle.kind) {
    case 'rows':
      return faultyRows(obstacle);
    case 'type':
      return 'changing the type could lose what is stored';
    case 'key-type':
      return 'SQLite numbers new rows only where the type of the key is INTEGER';
    case 'rights':
      return 'only its owner or a superuser can allow that';
    case 'name-taken':
      return `a ${obstacle.by} bears that name`;
    case 'other-key':
      return `the table has another one: ${obstacle.key}`;
    case 'part-of-key':
      return `it belongs to the table's ${obstacle.key}`;
    case 'owners':
      return "it is not the application's, and keeps it from writing";
    case 'dependents':
      return `it is needed as it is by ${obstacle.objects.map(({ what, name }) => `the ${what} ${name}`).join(', ')}`;
    case 'not-made':
      return 'the revisions that make them did not run here, or the rows were deleted';
    case 'waits-for':
      return `${obstacle.column} has to be put right before`;
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
      return rows === 1 ? '1 value is there more than once' : `${rows} values are there more than once`;
    case 'orphan':
      return `${many} referring to what is not there`;
    case 'violation':
      return `${many} breaking the rule`;
    case 'no-value':
      return `${many} that would have no value, for there is no default`;
  }
}

/** How statements are shown. */
type Statements = Pick<Commands, 'statement'>;

/** What to do about all of it, as an option of a banner. */
export function nextSteps(unsafe: readonly Unsafe[], commands: Statements): string {
  let statements = 0;
  // a statement keeps the comments that follow it
  const sql = unsafe
    .flatMap((each) => sqlFor(each, commands))
    .filter((line) => {
      if (!line.startsWith('--')) statements++;
      return statements <= shownDifferences;
    });
  return [
    'Put right what is in the way, then start again: the rest is mended then.' +
      (sql.length > 0 ? ' A SELECT finds rows; look well at what follows it before you run it.' : ''),
    ...sql.flatMap((statement) => statement.split('\n')).map((line) => `  ${line}`),
  ].join('\n');
}

/** What a person can run about it: first what finds the rows in the way, then what mends. A statement a line. */
export function sqlFor({ obstacle, remedy }: Unsafe, { statement }: Statements): readonly string[] {
  const find = obstacle.kind === 'rows' && obstacle.fault !== 'no-value' ? [obstacle.find] : [];
  return [...find, ...remedy].map(statement);
}

/**
 * A repair as SQL with comments: what would be done, or why nothing would be.
 * @param statements those of its steps
 */
export function renderRepair(plan: RepairPlan, statements: readonly string[], commands: Statements): string {
  if (plan.unsafe.length > 0) {
    const blocks = plan.unsafe.flatMap((unsafe) => [
      `-- ${oneLine(describeUnsafe(unsafe))}`,
      ...sqlFor(unsafe, commands),
      '',
    ]);
    const others = plan.steps.length === 0 ? [] : [`-- These would be added once nothing is in the way:`, ''];
    return text([
      '-- NOTHING WOULD BE CHANGED: what follows cannot be mended safely.',
      '-- Put it right by hand; what rows are in the way is found by the SELECT.',
      '',
      ...blocks,
      ...others,
      ...stepsOf(plan, statements, commands),
    ]);
  }
  return text(plan.steps.length === 0 ? ['-- Nothing is missing.'] : stepsOf(plan, statements, commands));
}

/** The same for programs: what is not mended, and the statements of what is. */
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
    `The database is ${state}, and only one that is at the last revision is repaired. ` +
    'The gate brings it there, and adds what is missing then.'
  );
}
