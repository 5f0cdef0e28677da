import type { NewRow } from '../models/models.ts';
import type { SeedOptions } from '../options.ts';
import type { Scene } from '../generators/seed-context.ts';
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
import { ensure, type Site, withoutTakenCodes } from '../write.ts';

/** Clients with their projects with their tasks: those that there are, and those that are added. */
export async function plantWork(
  site: Site,
  { clients: clientCount, projectsPerClient, tasksPerProject }: SeedOptions,
  people: readonly number[],
  scene: Scene,
): Promise<{ readonly projects: readonly ProjectRef[]; readonly tasks: readonly TaskRef[] }> {
  const { ids: clientIds } = await ensure(site, 'clients', ['name'], clientRows(clientCount, scene));
  const clients = clientRefs(clientIds, scene);
  const { ids: projectIds } = await ensure(
    site,
    'projects',
    ['client_id', 'name'],
    projectRows(clients, projectsPerClient, scene),
    withoutTakenCodes<NewRow<'projects'>>(site.models.projects),
  );
  const projects = projectRefs(projectIds, clients);
  const rows = taskRows(projects, tasksPerProject, people, scene);
  const { ids: taskIds } = await ensure(site, 'tasks', ['project_id', 'name'], rows);
  return { projects, tasks: taskRefs(taskIds, projects) };
}
