import type { NewRow } from '../models/models.ts';
import type { SeedOptions } from '../options.ts';
import type { SeedContext } from '../generators/seed-context.ts';
import {
  clientRefs,
  clientRows,
  type ProjectRef,
  projectRefs,
  projectRows,
  type TaskRef,
  taskRefs,
  taskRows,
} from '../generators/work.ts';
import { ensure, type SeedTarget, withoutTakenCodes } from '../write.ts';

/** Adds clients, their projects, and the tasks of these projects. @returns the existing and the added rows */
export async function writeWork(
  target: SeedTarget,
  { clients: clientCount, projectsPerClient, tasksPerProject }: SeedOptions,
  people: readonly number[],
  context: SeedContext,
): Promise<{ readonly projects: readonly ProjectRef[]; readonly tasks: readonly TaskRef[] }> {
  const { ids: clientIds } = await ensure(target, 'clients', ['name'], clientRows(clientCount, context));
  const clients = clientRefs(clientIds, context);
  const { ids: projectIds } = await ensure(
    target,
    'projects',
    ['client_id', 'name'],
    projectRows(clients, projectsPerClient, context),
    withoutTakenCodes<NewRow<'projects'>>(target.models.projects),
  );
  const projects = projectRefs(projectIds, clients);
  const rows = taskRows(projects, tasksPerProject, people, context);
  const { ids: taskIds } = await ensure(target, 'tasks', ['project_id', 'name'], rows);
  return { projects, tasks: taskRefs(taskIds, projects) };
}
