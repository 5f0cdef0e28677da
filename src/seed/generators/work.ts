import { at } from '../random.ts';
import { address, clientName, projectName, taskName } from '../texts.ts';
import type { NewRow } from '../models/models.ts';
import { numbersTo, type SeedContext, stamps } from './seed-context.ts';

/** A client in the database. */
export interface ClientRef {
  readonly id: number;
  readonly name: string;
  /** The hourly rate, in whole units of the currency. */
  readonly rate: number;
  readonly email: string;
  readonly address: string;
}

/** A project in the database. */
export interface ProjectRef {
  readonly id: number;
  readonly name: string;
  readonly client: ClientRef;
}

/** A task in the database. */
export interface TaskRef {
  readonly id: number;
  readonly project: ProjectRef;
  /** Whether the task is not begun yet. */
  readonly untouched: boolean;
}

/** Two thirds of the tasks are done or nearly done. */
const statuses = ['todo', 'in_progress', 'review', 'done', 'done', 'done'] as const;
const priorities = ['low', 'medium', 'high', 'urgent'] as const;

const clientFacts = (index: number, context: SeedContext): Omit<ClientRef, 'id'> => {
  const name = clientName(index);
  const host = name.normalize('NFD').replaceAll(/[^A-Za-z]/g, '');
  const rate = 70 + 5 * context.random('client', index).whole(0, 10);
  return { name, rate, email: `office@${host.toLowerCase()}.example.com`, address: address(index) };
};

/** Builds clients. */
export function clientRows(count: number, context: SeedContext): readonly NewRow<'clients'>[] {
  return numbersTo(count).map((number) => {
    const { name, rate, email, address: place } = clientFacts(number - 1, context);
    return {
      name,
      description: 'Made up for development',
      contact_person: 'Front office',
      email,
      phone: `+32 555 01 ${String(number).padStart(4, '0')}`,
      address: place,
      default_hourly_rate: rate,
      status: 'active',
      prepaid_reset_day: 1,
      portal_enabled: false,
      portal_issues_enabled: true,
      ...stamps(context),
    };
  });
}

/** Converts the ids of the clients to references. @param ids in the order of the rows of `clientRows` */
export const clientRefs = (ids: readonly number[], context: SeedContext): readonly ClientRef[] =>
  ids.map((id, index) => ({ id, ...clientFacts(index, context) }));

/** Builds projects. @param each the number of projects per client */
export function projectRows(
  clients: readonly ClientRef[],
  each: number,
  context: SeedContext,
): readonly NewRow<'projects'>[] {
  return clients.flatMap((client, clientIndex) =>
    numbersTo(each).map((number) => ({
      name: nameOfProject(client, number - 1),
      client_id: client.id,
      description: `Made up for development: ${projectName(number - 1)}`,
      billable: true,
      hourly_rate: client.rate,
      status: 'active',
      code: `DEV${String(clientIndex + 1).padStart(3, '0')}-${String(number).padStart(2, '0')}`,
      estimated_hours: 40 + 10 * (number - 1),
      budget_threshold_percent: 80,
      ...stamps(context),
    })),
  );
}

const nameOfProject = ({ name }: ClientRef, index: number): string => `${name}: ${projectName(index)}`;

/** Converts the ids of the projects to references. @param ids in the order of the rows of `projectRows` */
export function projectRefs(ids: readonly number[], clients: readonly ClientRef[]): readonly ProjectRef[] {
  const each = ids.length / clients.length;
  return ids.map((id, index) => {
    const client = at(clients, Math.floor(index / each));
    return { id, client, name: nameOfProject(client, index % each) };
  });
}

/**
 * Builds tasks.
 * @param each the number of tasks per project
 * @param people ids of users; at least one if there are tasks
 * @throws RangeError if it is empty
 */
export function taskRows(
  projects: readonly ProjectRef[],
  each: number,
  people: readonly number[],
  context: SeedContext,
): readonly NewRow<'tasks'>[] {
  return projects.flatMap(({ id, name }, projectIndex) =>
    numbersTo(each).map((number) => ({
      project_id: id,
      name: taskName(number - 1),
      description: `Made up for development: ${name}`,
      status: at(statuses, number - 1),
      priority: at(priorities, number - 1),
      estimated_hours: 2 + ((number - 1) % 8),
      created_by: at(people, projectIndex),
      assigned_to: at(people, projectIndex + number - 1),
      ...stamps(context),
    })),
  );
}

/** Converts the ids of the tasks to references. @param ids in the order of the rows of `taskRows` */
export function taskRefs(ids: readonly number[], projects: readonly ProjectRef[]): readonly TaskRef[] {
  const each = ids.length / projects.length;
  return ids.map((id, index) => ({
    id,
    project: at(projects, Math.floor(index / each)),
    untouched: at(statuses, index % each) === 'todo',
  }));
}
