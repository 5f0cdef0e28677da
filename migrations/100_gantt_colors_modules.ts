import type { Migration } from '../src/migration/migration.ts';

export const revision = '100_gantt_colors_modules';
export const parents: readonly string[] = ['099_add_peppol_settings_columns'];

/** Adds colours for the Gantt chart to projects and tasks, and a list of disabled modules to the settings. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('projects', 'color', 'VARCHAR(7)');
  await schema.addColumn('settings', 'modules_disabled', 'TEXT');
  await schema.addColumn('tasks', 'color', 'VARCHAR(7)');
};
