import type { Migration } from '../src/migration/migration.ts';

export const revision = '070_add_time_entry_approvals';
export const parents: readonly string[] = ['069_add_workflow_automation'];

/** Creates the approval of time entries and its policies. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createEnum('approvalstatus', ['pending', 'approved', 'rejected', 'cancelled']);
  const approvalStatus = schema.engine === 'postgresql' ? 'approvalstatus' : 'VARCHAR(20)';

  await schema.createTable('approval_policies', {
    id: 'SERIAL PRIMARY KEY',
    project_id: 'INTEGER REFERENCES projects(id)',
    user_id: 'INTEGER REFERENCES users(id)',
    applies_to_all: 'BOOLEAN NOT NULL DEFAULT FALSE',
    requires_approval: 'BOOLEAN NOT NULL DEFAULT TRUE',
    approval_levels: 'INTEGER NOT NULL DEFAULT 1',
    approver_user_ids: 'VARCHAR(500)',
    min_hours: 'NUMERIC(10,2)',
    billable_only: 'BOOLEAN NOT NULL DEFAULT FALSE',
    auto_approve_after_hours: 'INTEGER',
    auto_approve_for_admins: 'BOOLEAN NOT NULL DEFAULT FALSE',
    enabled: 'BOOLEAN NOT NULL DEFAULT TRUE',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('approval_policies', ['project_id'], { name: 'ix_approval_policies_project_id' });
  await schema.addIndex('approval_policies', ['user_id'], { name: 'ix_approval_policies_user_id' });

  await schema.createTable('time_entry_approvals', {
    id: 'SERIAL PRIMARY KEY',
    time_entry_id: 'INTEGER NOT NULL REFERENCES time_entries(id)',
    status: `${approvalStatus} NOT NULL DEFAULT 'pending'`,
    requested_by: 'INTEGER NOT NULL REFERENCES users(id)',
    approved_by: 'INTEGER REFERENCES users(id)',
    requested_at: 'TIMESTAMP NOT NULL',
    approved_at: 'TIMESTAMP',
    rejected_at: 'TIMESTAMP',
    request_comment: 'TEXT',
    approval_comment: 'TEXT',
    rejection_reason: 'TEXT',
    parent_approval_id: 'INTEGER REFERENCES time_entry_approvals(id)',
    approval_level: 'INTEGER NOT NULL DEFAULT 1',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('time_entry_approvals', ['approved_by'], { name: 'ix_time_entry_approvals_approved_by' });
  await schema.addIndex('time_entry_approvals', ['requested_by'], { name: 'ix_time_entry_approvals_requested_by' });
  await schema.addIndex('time_entry_approvals', ['status'], { name: 'ix_time_entry_approvals_status' });
  await schema.addIndex('time_entry_approvals', ['time_entry_id'], { name: 'ix_time_entry_approvals_time_entry_id' });
};
