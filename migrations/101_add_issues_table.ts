import type { Migration } from '../src/migration/migration.ts';

export const revision = '101_add_issues_table';
export const parents: readonly string[] = ['100_add_comment_attachments'];

/** Creates issues. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable(
    'issues',
    {
      id: 'SERIAL PRIMARY KEY',
      client_id: 'INTEGER NOT NULL',
      project_id: 'INTEGER',
      task_id: 'INTEGER',
      title: 'VARCHAR(200) NOT NULL',
      description: 'TEXT',
      status: "VARCHAR(20) NOT NULL DEFAULT 'open'",
      priority: "VARCHAR(20) NOT NULL DEFAULT 'medium'",
      submitted_by_client: 'BOOLEAN NOT NULL DEFAULT TRUE',
      client_submitter_name: 'VARCHAR(200)',
      client_submitter_email: 'VARCHAR(200)',
      assigned_to: 'INTEGER',
      created_by: 'INTEGER',
      created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
      updated_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
      resolved_at: 'TIMESTAMP',
      closed_at: 'TIMESTAMP',
    },
    {
      fk_issues_assigned_to: 'FOREIGN KEY (assigned_to) REFERENCES users(id) ON DELETE SET NULL',
      fk_issues_client_id: 'FOREIGN KEY (client_id) REFERENCES clients(id) ON DELETE CASCADE',
      fk_issues_created_by: 'FOREIGN KEY (created_by) REFERENCES users(id) ON DELETE SET NULL',
      fk_issues_project_id: 'FOREIGN KEY (project_id) REFERENCES projects(id) ON DELETE CASCADE',
      fk_issues_task_id: 'FOREIGN KEY (task_id) REFERENCES tasks(id) ON DELETE SET NULL',
    },
  );
  await schema.addIndex('issues', ['assigned_to'], { name: 'ix_issues_assigned_to' });
  await schema.addIndex('issues', ['client_id'], { name: 'ix_issues_client_id' });
  await schema.addIndex('issues', ['created_by'], { name: 'ix_issues_created_by' });
  await schema.addIndex('issues', ['project_id'], { name: 'ix_issues_project_id' });
  await schema.addIndex('issues', ['status'], { name: 'ix_issues_status' });
  await schema.addIndex('issues', ['task_id'], { name: 'ix_issues_task_id' });
  await schema.addIndex('issues', ['title'], { name: 'ix_issues_title' });
};
