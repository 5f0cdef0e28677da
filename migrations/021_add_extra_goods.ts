import type { Migration } from '../src/migration/migration.ts';

export const revision = '021';
export const parents: readonly string[] = ['020'];

/** Creates extra_goods, the products that are sold in addition to working time. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable(
    'extra_goods',
    {
      id: 'SERIAL PRIMARY KEY',
      project_id: 'INTEGER',
      invoice_id: 'INTEGER',
      name: 'VARCHAR(200) NOT NULL',
      description: 'TEXT',
      category: 'VARCHAR(50) NOT NULL',
      quantity: "NUMERIC(10,2) NOT NULL DEFAULT '1'",
      unit_price: 'NUMERIC(10,2) NOT NULL',
      total_amount: 'NUMERIC(10,2) NOT NULL',
      currency_code: "VARCHAR(3) NOT NULL DEFAULT 'EUR'",
      billable: 'BOOLEAN NOT NULL DEFAULT TRUE',
      sku: 'VARCHAR(100)',
      created_by: 'INTEGER NOT NULL',
      created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
      updated_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    },
    {
      fk_extra_goods_created_by: 'FOREIGN KEY (created_by) REFERENCES users(id) ON DELETE CASCADE',
      fk_extra_goods_invoice_id: 'FOREIGN KEY (invoice_id) REFERENCES invoices(id) ON DELETE CASCADE',
      fk_extra_goods_project_id: 'FOREIGN KEY (project_id) REFERENCES projects(id) ON DELETE CASCADE',
    },
  );
  await schema.addIndex('extra_goods', ['created_by'], { name: 'ix_extra_goods_created_by' });
  await schema.addIndex('extra_goods', ['invoice_id'], { name: 'ix_extra_goods_invoice_id' });
  await schema.addIndex('extra_goods', ['project_id'], { name: 'ix_extra_goods_project_id' });
};
