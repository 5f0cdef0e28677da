import type { Migration } from '../src/migration/migration.ts';

export const revision = '014';
export const parents: readonly string[] = ['013'];

/**
 * Adds the payment status to invoices. The status of an existing invoice decides whether it is fully paid or unpaid; a
 * paid one counts as paid today, with its total_amount.
 */
export const up: Migration = async ({ context: schema }) => {
  const added = await schema.addColumns('invoices', {
    payment_date: 'DATE',
    payment_method: 'VARCHAR(50)',
    payment_reference: 'VARCHAR(100)',
    payment_notes: 'TEXT',
    amount_paid: 'NUMERIC(10,2)',
    payment_status: 'VARCHAR(20)',
  });
  if (added.includes('amount_paid')) await schema.run('UPDATE invoices SET amount_paid = 0');
  if (added.includes('payment_status')) {
    await schema.run(`
      UPDATE invoices SET payment_status = CASE status WHEN 'paid' THEN 'fully_paid' ELSE 'unpaid' END;
      UPDATE invoices SET amount_paid = total_amount, payment_date = CURRENT_DATE
      WHERE status = 'paid' AND amount_paid = 0`);
    await schema.setNotNull('invoices', 'payment_status');
  }
  await schema.addIndex('invoices', ['payment_date'], { name: 'ix_invoices_payment_date' });
  await schema.addIndex('invoices', ['payment_status'], { name: 'ix_invoices_payment_status' });
};
