import type { Migration } from '../src/migration/migration.ts';

export const revision = '069_add_workflow_automation';
export const parents: readonly string[] = ['068_add_user_password_hash'];

/** Creates workflow rules and the log of their executions. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('workflow_rules', {
    id: 'SERIAL PRIMARY KEY',
    name: 'VARCHAR(200) NOT NULL',
    description: 'TEXT',
    trigger_type: 'VARCHAR(50) NOT NULL',
    trigger_conditions: 'JSON',
    actions: 'JSON NOT NULL',
    enabled: 'BOOLEAN NOT NULL DEFAULT TRUE',
    priority: 'INTEGER NOT NULL DEFAULT 0',
    user_id: 'INTEGER NOT NULL REFERENCES users(id)',
    created_by: 'INTEGER NOT NULL REFERENCES users(id)',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
    last_executed_at: 'TIMESTAMP',
    execution_count: 'INTEGER NOT NULL DEFAULT 0',
  });
  await schema.addIndex('workflow_rules', ['user_id'], { name: 'ix_workflow_rules_user_id' });

  await schema.createTable('workflow_executions', {
    id: 'SERIAL PRIMARY KEY',
    rule_id: 'INTEGER NOT NULL REFERENCES workflow_rules(id)',
    executed_at: 'TIMESTAMP NOT NULL',
    success: 'BOOLEAN NOT NULL',
    error_message: 'TEXT',
    result: 'JSON',
    trigger_event: 'JSON',
    execution_time_ms: 'INTEGER',
  });
  await schema.addIndex('workflow_executions', ['executed_at'], { name: 'ix_workflow_executions_executed_at' });
  await schema.addIndex('workflow_executions', ['rule_id'], { name: 'ix_workflow_executions_rule_id' });
};
