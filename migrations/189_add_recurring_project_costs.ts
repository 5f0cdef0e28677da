import type { Migration } from '../src/migration/migration.ts';

export const revision = '189_add_recurring_project_costs';
export const parents: readonly string[] = ['188_add_activitywatch_rules'];

/** Creates recurring costs of projects. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('recurring_project_costs', {
    id: 'SERIAL PRIMARY KEY',
    project_id: 'INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE',
    user_id: 'INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE',
    description: 'VARCHAR(500) NOT NULL',
    category: 'VARCHAR(50) NOT NULL',
    amount: 'NUMERIC(10, 2) NOT NULL',
    billable: 'BOOLEAN NOT NULL DEFAULT TRUE',
    currency_code: "VARCHAR(3) NOT NULL DEFAULT 'EUR'",
    frequency: 'VARCHAR(20) NOT NULL',
    interval: 'INTEGER NOT NULL DEFAULT 1',
    next_run_date: 'DATE NOT NULL',
    end_date: 'DATE',
    is_active: 'BOOLEAN NOT NULL DEFAULT TRUE',
    last_generated_at: 'TIMESTAMP',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    updated_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });
  await schema.addIndex('recurring_project_costs', ['is_active'], { name: 'ix_recurring_project_costs_is_active' });
  await schema.addIndex('recurring_project_costs', ['next_run_date'], {
    name: 'ix_recurring_project_costs_next_run_date',
  });
  await schema.addIndex('recurring_project_costs', ['project_id'], { name: 'ix_recurring_project_costs_project_id' });
  await schema.addIndex('recurring_project_costs', ['user_id'], { name: 'ix_recurring_project_costs_user_id' });
};
