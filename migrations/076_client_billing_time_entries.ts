import type { Migration } from '../src/migration/migration.ts';

export const revision = '076_client_billing_time_entries';
export const parents: readonly string[] = ['075_custom_fields_link_templates'];

/** Lets a time entry belong to a client instead of a project. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('time_entries', 'client_id', 'INTEGER');
  // On SQLite the old foreign key stays beside the new one, as in the application's own databases.
  if (schema.engine === 'postgresql') await schema.dropForeignKeys('time_entries', 'project_id');
  await schema.dropNotNull('time_entries', 'project_id');
  if (schema.engine === 'sqlite') {
    // Like the application on SQLite: a second foreign key of project_id, none of client_id, no CHECK.
    await schema.addConstraint(
      'time_entries',
      'fk_time_entries_project_id',
      'FOREIGN KEY (project_id) REFERENCES projects(id)',
    );
    return;
  }
  await schema.addConstraint(
    'time_entries',
    'fk_time_entries_project_id',
    'FOREIGN KEY (project_id) REFERENCES projects(id) ON DELETE CASCADE',
  );
  await schema.addConstraint(
    'time_entries',
    'fk_time_entries_client_id',
    'FOREIGN KEY (client_id) REFERENCES clients(id) ON DELETE CASCADE',
  );
  await schema.addConstraint(
    'time_entries',
    'chk_time_entries_project_or_client',
    'CHECK (project_id IS NOT NULL OR client_id IS NOT NULL)',
  );
  await schema.addIndex('time_entries', ['client_id'], { name: 'idx_time_entries_client_id' });
};
