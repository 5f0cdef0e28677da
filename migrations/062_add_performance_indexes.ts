import type { Migration } from '../src/migration/migration.ts';

export const revision = '062';
export const parents: readonly string[] = ['061'];

/** Adds indexes for the lists that are used most. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addIndex('comments', ['project_id', 'created_at'], { name: 'ix_comments_project_created' });
  await schema.addIndex('comments', ['task_id', 'created_at'], { name: 'ix_comments_task_created' });
  await schema.addIndex('expenses', ['billable', 'expense_date'], { name: 'ix_expenses_billable_date' });
  await schema.addIndex('invoices', ['client_id', 'status'], { name: 'ix_invoices_client_status' });
  await schema.addIndex('invoices', ['project_id', 'issue_date'], { name: 'ix_invoices_project_issue_date' });
  await schema.addIndex('invoices', ['status', 'due_date'], { name: 'ix_invoices_status_due_date' });
  await schema.addIndex('payments', ['invoice_id', 'payment_date'], { name: 'ix_payments_invoice_date' });
  await schema.addIndex('projects', ['billable', 'status'], { name: 'ix_projects_billable_status' });
  await schema.addIndex('projects', ['client_id', 'status'], { name: 'ix_projects_client_status' });
  await schema.addIndex('tasks', ['assigned_to', 'status'], { name: 'ix_tasks_assigned_to_status' });
  await schema.addIndex('tasks', ['project_id', 'status'], { name: 'ix_tasks_project_status' });
  await schema.addIndex('time_entries', ['billable', 'start_time'], { name: 'ix_time_entries_billable_start_time' });
  await schema.addIndex('time_entries', ['project_id', 'start_time'], { name: 'ix_time_entries_project_start_time' });
  await schema.addIndex('time_entries', ['user_id', 'end_time'], { name: 'ix_time_entries_user_end_time' });
  await schema.addIndex('time_entries', ['user_id', 'start_time'], { name: 'ix_time_entries_user_start_time' });
};
