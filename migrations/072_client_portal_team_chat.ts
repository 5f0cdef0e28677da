import type { Migration } from '../src/migration/migration.ts';

export const revision = '072_client_portal_team_chat';
export const parents: readonly string[] = ['071_add_recurring_tasks'];

/** Creates team chat, the customization of client portals, and the approval of time entries by clients. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createEnum('clientapprovalstatus', ['pending', 'approved', 'rejected', 'cancelled']);
  const approvalStatus = schema.engine === 'postgresql' ? 'clientapprovalstatus' : 'VARCHAR(9)';

  await schema.createTable('chat_channels', {
    id: 'SERIAL PRIMARY KEY',
    name: 'VARCHAR(200) NOT NULL',
    description: 'TEXT',
    channel_type: "VARCHAR(20) NOT NULL DEFAULT 'public'",
    created_by: 'INTEGER NOT NULL REFERENCES users(id)',
    project_id: 'INTEGER REFERENCES projects(id)',
    is_archived: 'BOOLEAN NOT NULL DEFAULT FALSE',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('chat_channels', ['project_id'], { name: 'ix_chat_channels_project_id' });
  await schema.addIndex('chat_channels', ['channel_type'], { name: 'ix_chat_channels_type' });

  await schema.createTable(
    'chat_channel_members',
    {
      id: 'SERIAL PRIMARY KEY',
      channel_id: 'INTEGER NOT NULL REFERENCES chat_channels(id)',
      user_id: 'INTEGER NOT NULL REFERENCES users(id)',
      is_admin: 'BOOLEAN NOT NULL DEFAULT FALSE',
      notifications_enabled: 'BOOLEAN NOT NULL DEFAULT TRUE',
      muted_until: 'TIMESTAMP',
      joined_at: 'TIMESTAMP NOT NULL',
      last_read_at: 'TIMESTAMP',
    },
    {
      uq_channel_member: 'UNIQUE (channel_id, user_id)',
    },
  );
  await schema.addIndex('chat_channel_members', ['channel_id'], { name: 'ix_chat_channel_members_channel_id' });
  await schema.addIndex('chat_channel_members', ['channel_id', 'user_id'], {
    name: 'ix_chat_channel_members_channel_user',
  });
  await schema.addIndex('chat_channel_members', ['user_id'], { name: 'ix_chat_channel_members_user_id' });

  await schema.createTable('chat_messages', {
    id: 'SERIAL PRIMARY KEY',
    channel_id: 'INTEGER NOT NULL REFERENCES chat_channels(id)',
    user_id: 'INTEGER NOT NULL REFERENCES users(id)',
    message: 'TEXT NOT NULL',
    message_type: "VARCHAR(20) NOT NULL DEFAULT 'text'",
    attachment_url: 'VARCHAR(500)',
    attachment_filename: 'VARCHAR(255)',
    attachment_size: 'INTEGER',
    reply_to_id: 'INTEGER REFERENCES chat_messages(id)',
    mentions: 'JSON',
    reactions: 'JSON',
    is_edited: 'BOOLEAN NOT NULL DEFAULT FALSE',
    is_deleted: 'BOOLEAN NOT NULL DEFAULT FALSE',
    edited_at: 'TIMESTAMP',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('chat_messages', ['channel_id', 'created_at'], { name: 'ix_chat_messages_channel_created' });
  await schema.addIndex('chat_messages', ['channel_id'], { name: 'ix_chat_messages_channel_id' });
  await schema.addIndex('chat_messages', ['user_id'], { name: 'ix_chat_messages_user_id' });

  await schema.createTable(
    'chat_read_receipts',
    {
      id: 'SERIAL PRIMARY KEY',
      message_id: 'INTEGER NOT NULL REFERENCES chat_messages(id)',
      user_id: 'INTEGER NOT NULL REFERENCES users(id)',
      read_at: 'TIMESTAMP NOT NULL',
    },
    {
      uq_read_receipt: 'UNIQUE (message_id, user_id)',
    },
  );
  await schema.addIndex('chat_read_receipts', ['message_id'], { name: 'ix_chat_read_receipts_message_id' });
  await schema.addIndex('chat_read_receipts', ['user_id'], { name: 'ix_chat_read_receipts_user_id' });

  await schema.createTable('client_approval_policies', {
    id: 'SERIAL PRIMARY KEY',
    client_id: 'INTEGER NOT NULL REFERENCES clients(id)',
    project_id: 'INTEGER REFERENCES projects(id)',
    requires_approval: 'BOOLEAN NOT NULL DEFAULT TRUE',
    auto_approve_after_days: 'INTEGER',
    min_hours: 'NUMERIC(10,2)',
    billable_only: 'BOOLEAN NOT NULL DEFAULT FALSE',
    enabled: 'BOOLEAN NOT NULL DEFAULT TRUE',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('client_approval_policies', ['client_id'], { name: 'ix_client_approval_policies_client_id' });
  await schema.addIndex('client_approval_policies', ['project_id'], { name: 'ix_client_approval_policies_project_id' });

  await schema.createTable('client_portal_customizations', {
    id: 'SERIAL PRIMARY KEY',
    client_id: 'INTEGER NOT NULL UNIQUE REFERENCES clients(id)',
    logo_url: 'VARCHAR(500)',
    logo_upload_path: 'VARCHAR(500)',
    favicon_url: 'VARCHAR(500)',
    primary_color: 'VARCHAR(7)',
    secondary_color: 'VARCHAR(7)',
    accent_color: 'VARCHAR(7)',
    font_family: 'VARCHAR(100)',
    heading_font: 'VARCHAR(100)',
    custom_css: 'TEXT',
    custom_header_html: 'TEXT',
    custom_footer_html: 'TEXT',
    portal_title: 'VARCHAR(200)',
    portal_description: 'TEXT',
    welcome_message: 'TEXT',
    show_projects: 'BOOLEAN NOT NULL DEFAULT TRUE',
    show_invoices: 'BOOLEAN NOT NULL DEFAULT TRUE',
    show_time_entries: 'BOOLEAN NOT NULL DEFAULT TRUE',
    show_quotes: 'BOOLEAN NOT NULL DEFAULT TRUE',
    custom_navigation_items: 'JSON',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
  });

  await schema.createTable('client_time_approvals', {
    id: 'SERIAL PRIMARY KEY',
    time_entry_id: 'INTEGER NOT NULL REFERENCES time_entries(id)',
    project_id: 'INTEGER NOT NULL REFERENCES projects(id)',
    client_id: 'INTEGER NOT NULL REFERENCES clients(id)',
    status: `${approvalStatus} NOT NULL`,
    requested_by: 'INTEGER NOT NULL REFERENCES users(id)',
    approved_by: 'INTEGER',
    requested_at: 'TIMESTAMP NOT NULL',
    approved_at: 'TIMESTAMP',
    rejected_at: 'TIMESTAMP',
    request_comment: 'TEXT',
    approval_comment: 'TEXT',
    rejection_reason: 'TEXT',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('client_time_approvals', ['client_id'], { name: 'ix_client_time_approvals_client_id' });
  await schema.addIndex('client_time_approvals', ['project_id'], { name: 'ix_client_time_approvals_project_id' });
  await schema.addIndex('client_time_approvals', ['status'], { name: 'ix_client_time_approvals_status' });
  await schema.addIndex('client_time_approvals', ['time_entry_id'], { name: 'ix_client_time_approvals_time_entry_id' });
};
