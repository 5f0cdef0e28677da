import type { Migration } from '../src/migration/migration.ts';

export const revision = '018';
export const parents: readonly string[] = ['017'];

/** Creates project_costs. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable(
    'project_costs',
    {
      id: 'SERIAL PRIMARY KEY',
      project_id: 'INTEGER NOT NULL',
      user_id: 'INTEGER NOT NULL',
      description: 'VARCHAR(500) NOT NULL',
      category: 'VARCHAR(50) NOT NULL',
      amount: 'NUMERIC(10,2) NOT NULL',
      currency_code: "VARCHAR(3) NOT NULL DEFAULT 'EUR'",
      billable: 'BOOLEAN NOT NULL DEFAULT TRUE',
      invoiced: 'BOOLEAN NOT NULL DEFAULT FALSE',
      invoice_id: 'INTEGER',
      cost_date: 'DATE NOT NULL',
      notes: 'TEXT',
      receipt_path: 'VARCHAR(500)',
      created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
      updated_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    },
    {
      fk_project_costs_invoice_id: 'FOREIGN KEY (invoice_id) REFERENCES invoices(id) ON DELETE SET NULL',
      fk_project_costs_project_id: 'FOREIGN KEY (project_id) REFERENCES projects(id) ON DELETE CASCADE',
      fk_project_costs_user_id: 'FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE',
    },
  );
  await schema.addIndex('project_costs', ['cost_date'], { name: 'ix_project_costs_cost_date' });
  await schema.addIndex('project_costs', ['invoice_id'], { name: 'ix_project_costs_invoice_id' });
  await schema.addIndex('project_costs', ['project_id'], { name: 'ix_project_costs_project_id' });
  await schema.addIndex('project_costs', ['user_id'], { name: 'ix_project_costs_user_id' });
};
