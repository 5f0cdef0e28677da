import type { Migration } from '../src/migration/migration.ts';

export const revision = '129_add_task_tags';
export const parents: readonly string[] = ['128_add_invoices_zugferd_pdf'];

/** Adds tags to tasks. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('tasks', 'tags', 'VARCHAR(500)');
};
