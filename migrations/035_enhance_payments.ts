import type { Migration } from '../src/migration/migration.ts';

export const revision = '035_enhance_payments';
export const parents: readonly string[] = ['034_add_calendar_events'];

/** Adds the status, the receiver and the data of the payment gateway to payments. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('payments', {
    status: "VARCHAR(20) NOT NULL DEFAULT 'completed'",
    received_by: 'INTEGER',
    gateway_transaction_id: 'VARCHAR(255)',
    gateway_fee: 'NUMERIC(10,2)',
    net_amount: 'NUMERIC(10,2)',
  });
  await schema.addIndex('payments', ['payment_date'], { name: 'ix_payments_payment_date' });
  await schema.addIndex('payments', ['received_by'], { name: 'ix_payments_received_by' });
  await schema.addIndex('payments', ['status'], { name: 'ix_payments_status' });
  // The application's SQLite databases have this foreign key without its ON DELETE action.
  const onDelete = schema.engine === 'postgresql' ? 'ON DELETE SET NULL' : '';
  await schema.addConstraint(
    'payments',
    'fk_payments_received_by',
    `FOREIGN KEY (received_by) REFERENCES users(id) ${onDelete}`,
  );
};
