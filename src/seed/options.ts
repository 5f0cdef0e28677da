import { wholeNumber } from '../config/variables.ts';
import { Failure } from '../errors/failure.ts';
import { workingDaysAtLeast } from './calendar.ts';

/** The options for numbers, with default and allowed range. */
const limits = {
  users: { option: 'users', otherwise: 4, least: 1, most: 500 },
  clients: { option: 'clients', otherwise: 20, least: 0, most: 500 },
  projectsPerClient: { option: 'projects-per-client', otherwise: 4, least: 0, most: 100 },
  tasksPerProject: { option: 'tasks-per-project', otherwise: 12, least: 0, most: 200 },
  timeEntries: { option: 'time-entries', otherwise: 1500, least: 0, most: 200_000 },
  daysBack: { option: 'days-back', otherwise: 120, least: 1, most: 3650 },
  expenses: { option: 'expenses', otherwise: 50, least: 0, most: 100_000 },
  comments: { option: 'comments', otherwise: 80, least: 0, most: 100_000 },
  warehouses: { option: 'warehouses', otherwise: 3, least: 0, most: 50 },
  stockItems: { option: 'stock-items', otherwise: 15, least: 0, most: 1000 },
  stockMovements: { option: 'stock-movements', otherwise: 40, least: 0, most: 100_000 },
  taxRules: { option: 'tax-rules', otherwise: 2, least: 0, most: 4 },
  invoices: { option: 'invoices', otherwise: 25, least: 0, most: 100_000 },
  paymentsPerInvoice: { option: 'payments-per-invoice', otherwise: 1, least: 0, most: 5 },
  seed: { option: 'seed', otherwise: 1, least: 0, most: 999_999_999 },
} as const;

type NumberName = keyof typeof limits;

/** The amount of development data. All values except `seed` and the switches are numbers of rows or days. */
export type SeedOptions = Readonly<Record<NumberName, number>> & {
  readonly currencies: boolean;
  readonly expenseCategories: boolean;
};

export const numberOptions: readonly string[] = Object.values(limits).map(({ option }) => option);
/** The texts of `help seed`: the default and the limits of each number. */
export const numberTexts: Readonly<Record<string, string>> = Object.fromEntries(
  Object.values(limits).map(({ option, otherwise, least, most }) => [
    option,
    `${option.replaceAll('-', ' ')}: a whole number from ${least} to ${most}; default: ${otherwise}`,
  ]),
);
export const switches: readonly string[] = ['no-currencies', 'no-expense-categories'];

/** The most entries per person and working day. A day has nine hours, and an entry takes one hour on average. */
const entriesPerDay = 6;
const entriesPerTask = 8;
const tasksAtMost = 200_000;

/** Parses the given options, and adds the defaults. @throws Failure `usage` that names all invalid options */
export function readSeedOptions(given: ReadonlyMap<string, string>, flags: ReadonlySet<string>): SeedOptions {
  const faults: string[] = [];
  const read = (name: NumberName): number => {
    const { option, otherwise, least, most } = limits[name];
    const text = given.get(option);
    if (text === undefined) return otherwise;
    const number = wholeNumber(text, least, most);
    if (number === undefined) faults.push(`--${option} takes a whole number from ${least} to ${most}, not ${text}`);
    return number ?? otherwise;
  };
  const options: SeedOptions = {
    users: read('users'),
    clients: read('clients'),
    projectsPerClient: read('projectsPerClient'),
    tasksPerProject: read('tasksPerProject'),
    timeEntries: read('timeEntries'),
    daysBack: read('daysBack'),
    expenses: read('expenses'),
    comments: read('comments'),
    warehouses: read('warehouses'),
    stockItems: read('stockItems'),
    stockMovements: read('stockMovements'),
    taxRules: read('taxRules'),
    invoices: read('invoices'),
    paymentsPerInvoice: read('paymentsPerInvoice'),
    seed: read('seed'),
    currencies: !flags.has('no-currencies'),
    expenseCategories: !flags.has('no-expense-categories'),
  };
  const fitting = withFittingEntries(options, given.has(limits.timeEntries.option), faults);
  if (faults.length > 0) throw new Failure({ kind: 'usage', message: `${faults.join('; ')}.` });
  return fitting;
}

/**
 * Limits the default number of time entries to the tasks and the working days. Adds a fault if the operator gave a
 * number that does not fit, or if there are too many tasks.
 */
function withFittingEntries(options: SeedOptions, askedFor: boolean, faults: string[]): SeedOptions {
  const { users, clients, projectsPerClient, tasksPerProject, daysBack, timeEntries } = options;
  const tasks = clients * projectsPerClient * tasksPerProject;
  if (tasks > tasksAtMost) faults.push(`that would be ${tasks} tasks, ${tasksAtMost} are allowed`);
  const room = workingDaysAtLeast(daysBack) * users * entriesPerDay;
  if (!askedFor) return { ...options, timeEntries: Math.min(timeEntries, tasks * entriesPerTask, room) };
  if (timeEntries > room) {
    faults.push(
      `${timeEntries} time entries do not fit into the working days: give more --users or --days-back ` +
        `(${users} and ${daysBack} are enough for ${room})`,
    );
  }
  return options;
}
