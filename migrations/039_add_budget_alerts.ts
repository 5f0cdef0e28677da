import type { Migration } from '../src/migration/migration.ts';

export const revision = '039_add_budget_alerts';
export const parents: readonly string[] = ['038_fix_expenses_schema'];

/** Creates budget_alerts, for projects that have almost used their budget. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable(
    'budget_alerts',
    {
      id: 'SERIAL PRIMARY KEY',
      project_id: 'INTEGER NOT NULL',
      alert_type: 'VARCHAR(20) NOT NULL',
      alert_level: 'VARCHAR(20) NOT NULL',
      budget_consumed_percent: 'NUMERIC(5,2) NOT NULL',
      budget_amount: 'NUMERIC(10,2) NOT NULL',
      consumed_amount: 'NUMERIC(10,2) NOT NULL',
      message: 'TEXT NOT NULL',
      is_acknowledged: 'BOOLEAN NOT NULL DEFAULT FALSE',
      acknowledged_by: 'INTEGER',
      acknowledged_at: 'TIMESTAMP',
      created_at: 'TIMESTAMP NOT NULL',
    },
    {
      fk_budget_alerts_acknowledged_by: 'FOREIGN KEY (acknowledged_by) REFERENCES users(id) ON DELETE SET NULL',
      fk_budget_alerts_project_id: 'FOREIGN KEY (project_id) REFERENCES projects(id) ON DELETE CASCADE',
    },
  );
  await schema.addIndex('budget_alerts', ['acknowledged_by'], { name: 'ix_budget_alerts_acknowledged_by' });
  await schema.addIndex('budget_alerts', ['alert_type'], { name: 'ix_budget_alerts_alert_type' });
  await schema.addIndex('budget_alerts', ['created_at'], { name: 'ix_budget_alerts_created_at' });
  await schema.addIndex('budget_alerts', ['is_acknowledged'], { name: 'ix_budget_alerts_is_acknowledged' });
  await schema.addIndex('budget_alerts', ['project_id'], { name: 'ix_budget_alerts_project_id' });
};
