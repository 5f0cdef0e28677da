import type { Migration } from '../src/migration/migration.ts';

export const revision = '029';
export const parents: readonly string[] = ['028'];

/** Creates expenses. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable(
    'expenses',
    {
      id: 'SERIAL PRIMARY KEY',
      user_id: 'INTEGER NOT NULL',
      project_id: 'INTEGER',
      client_id: 'INTEGER',
      title: 'VARCHAR(200) NOT NULL',
      description: 'TEXT',
      category: 'VARCHAR(50) NOT NULL',
      amount: 'NUMERIC(10,2) NOT NULL',
      currency_code: "VARCHAR(3) NOT NULL DEFAULT 'EUR'",
      tax_amount: "NUMERIC(10,2) DEFAULT '0'",
      tax_rate: "NUMERIC(5,2) DEFAULT '0'",
      payment_method: 'VARCHAR(50)',
      payment_date: 'DATE',
      status: "VARCHAR(20) NOT NULL DEFAULT 'pending'",
      approved_by: 'INTEGER',
      approved_at: 'TIMESTAMP',
      rejection_reason: 'TEXT',
      billable: 'BOOLEAN NOT NULL DEFAULT FALSE',
      reimbursable: 'BOOLEAN NOT NULL DEFAULT TRUE',
      invoiced: 'BOOLEAN NOT NULL DEFAULT FALSE',
      invoice_id: 'INTEGER',
      reimbursed: 'BOOLEAN NOT NULL DEFAULT FALSE',
      reimbursed_at: 'TIMESTAMP',
      expense_date: 'DATE NOT NULL',
      receipt_path: 'VARCHAR(500)',
      receipt_number: 'VARCHAR(100)',
      vendor: 'VARCHAR(200)',
      notes: 'TEXT',
      tags: 'VARCHAR(500)',
      created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
      updated_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    },
    {
      fk_expenses_approved_by: 'FOREIGN KEY (approved_by) REFERENCES users(id) ON DELETE SET NULL',
      fk_expenses_client_id: 'FOREIGN KEY (client_id) REFERENCES clients(id) ON DELETE SET NULL',
      fk_expenses_invoice_id: 'FOREIGN KEY (invoice_id) REFERENCES invoices(id) ON DELETE SET NULL',
      fk_expenses_project_id: 'FOREIGN KEY (project_id) REFERENCES projects(id) ON DELETE SET NULL',
      fk_expenses_user_id: 'FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE',
    },
  );
  await schema.addIndex('expenses', ['approved_by'], { name: 'ix_expenses_approved_by' });
  await schema.addIndex('expenses', ['client_id'], { name: 'ix_expenses_client_id' });
  await schema.addIndex('expenses', ['expense_date'], { name: 'ix_expenses_expense_date' });
  await schema.addIndex('expenses', ['invoice_id'], { name: 'ix_expenses_invoice_id' });
  await schema.addIndex('expenses', ['project_id', 'expense_date'], { name: 'ix_expenses_project_date' });
  await schema.addIndex('expenses', ['project_id'], { name: 'ix_expenses_project_id' });
  await schema.addIndex('expenses', ['status', 'expense_date'], { name: 'ix_expenses_status_date' });
  await schema.addIndex('expenses', ['user_id', 'expense_date'], { name: 'ix_expenses_user_date' });
  await schema.addIndex('expenses', ['user_id'], { name: 'ix_expenses_user_id' });
};
