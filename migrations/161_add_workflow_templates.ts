import type { Migration } from '../src/migration/migration.ts';
import type { Schema } from '../src/migration/schema-builder/schema.ts';

export const revision = '161_add_workflow_templates';
export const parents: readonly string[] = ['160_add_invoice_expense_integration_metadata'];

/** The templates, numbered from 1. */
const templates = [
  {
    name: 'Notify on task completion',
    description: 'Send a notification when a task is marked completed.',
    category: 'Tasks',
    tags: ['tasks', 'notifications'],
    trigger_type: 'task_completed',
    trigger_conditions: [],
    actions: [{ type: 'send_notification', title: 'Task completed', message: '{{task.name}} has been completed.' }],
  },
  {
    name: 'Webhook on invoice paid',
    description: 'POST to a webhook when an invoice is paid.',
    category: 'Invoices',
    tags: ['invoices', 'webhooks'],
    trigger_type: 'invoice_paid',
    trigger_conditions: [],
    actions: [
      {
        type: 'webhook',
        url: 'https://example.com/webhooks/invoice-paid',
        payload: { invoice_id: '{{invoice.id}}', amount: '{{invoice.total_amount}}' },
      },
    ],
  },
  {
    name: 'Assign task on status change',
    description: 'Assign a task to a user when status changes to in progress.',
    category: 'Tasks',
    tags: ['tasks', 'assignment'],
    trigger_type: 'task_status_change',
    trigger_conditions: [{ field: 'status', operator: '==', value: 'in_progress' }],
    actions: [{ type: 'assign_task', task_id: '{{task.id}}', user_id: '{{user_id}}' }],
  },
  {
    name: 'Notify on time logged',
    description: 'Send notification when time is logged on a project.',
    category: 'Time',
    tags: ['time', 'notifications'],
    trigger_type: 'time_logged',
    trigger_conditions: [],
    actions: [
      {
        type: 'send_notification',
        title: 'Time logged',
        message: 'Time entry recorded for project {{project_id}}.',
      },
    ],
  },
  {
    name: 'Email on new invoice',
    description: 'Send email when a new invoice is created.',
    category: 'Invoices',
    tags: ['invoices', 'email'],
    trigger_type: 'invoice_created',
    trigger_conditions: [],
    actions: [
      {
        type: 'send_email',
        to: 'billing@example.com',
        subject: 'New invoice {{invoice.invoice_number}}',
        body: 'Invoice {{invoice.invoice_number}} was created.',
      },
    ],
  },
];

/** Creates workflow templates, with five initial ones if there is a user to own them. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('workflow_templates', {
    id: 'SERIAL PRIMARY KEY',
    name: 'VARCHAR(200) NOT NULL',
    description: 'TEXT',
    category: 'VARCHAR(100)',
    tags: 'JSON',
    trigger_type: 'VARCHAR(50) NOT NULL',
    trigger_conditions: 'JSON',
    actions: 'JSON NOT NULL',
    is_public: 'BOOLEAN NOT NULL DEFAULT TRUE',
    created_by: 'INTEGER NOT NULL REFERENCES users(id)',
    usage_count: 'INTEGER NOT NULL DEFAULT 0',
    last_used_at: 'TIMESTAMP',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    updated_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });
  await schema.addIndex('workflow_templates', ['category'], { name: 'ix_workflow_templates_category' });
  await schema.addIndex('workflow_templates', ['created_by'], { name: 'ix_workflow_templates_created_by' });
  await schema.addIndex('workflow_templates', ['is_public'], { name: 'ix_workflow_templates_is_public' });
  await schema.addIndex('workflow_templates', ['name'], { name: 'ix_workflow_templates_name' });
  await seed(schema);
};

/** The owner is the first administrator; without an administrator, the first user. */
const seed = async (schema: Schema): Promise<void> => {
  // Timestamps are in UTC whatever the connection's time zone.
  const now = schema.engine === 'postgresql' ? "CURRENT_TIMESTAMP AT TIME ZONE 'UTC'" : 'CURRENT_TIMESTAMP';
  const [row] = await schema.query(`
    SELECT id, ${now} AS now FROM users
    ORDER BY CASE WHEN role = 'admin' OR EXISTS (
      SELECT 1 FROM user_roles JOIN roles ON roles.id = user_roles.role_id
      WHERE user_roles.user_id = users.id AND roles.name IN ('admin', 'super_admin')
    ) THEN 0 ELSE 1 END, id
    LIMIT 1`);
  if (row === undefined) return;
  await schema.insertMissing(
    'workflow_templates',
    [['name']],
    templates.map((template) => ({
      ...template,
      tags: spaced(template.tags),
      trigger_conditions: spaced(template.trigger_conditions),
      actions: spaced(template.actions),
      created_by: Number(row['id']),
      created_at: String(row['now']),
      updated_at: String(row['now']),
    })),
  );
};

/** JSON with a space after each comma and colon, as the application writes it; a column of type json keeps the text. */
function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, entry]) => `${JSON.stringify(key)}: ${spaced(entry)}`)
    .join(', ')}}`;
}
