import type { Migration } from '../src/migration/migration.ts';

export const revision = '104_add_missing_quotes_columns';
export const parents: readonly string[] = ['103_add_missing_quotes_quote_number'];

/** Adds sums and the visibility for clients to quotes, and columns of 052, 053 and 056 that are missing. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('quotes', {
    subtotal: "NUMERIC(10,2) NOT NULL DEFAULT '0'",
    tax_amount: "NUMERIC(10,2) NOT NULL DEFAULT '0'",
    visible_to_client: 'BOOLEAN NOT NULL DEFAULT FALSE',
    discount_type: 'VARCHAR(20)',
    discount_amount: "NUMERIC(10,2) DEFAULT '0'",
    discount_reason: 'VARCHAR(500)',
    coupon_code: 'VARCHAR(50)',
    payment_terms: 'VARCHAR(100)',
    approval_status: "VARCHAR(20) NOT NULL DEFAULT 'not_required'",
    approved_by: 'INTEGER',
    approved_at: 'TIMESTAMP',
    rejected_by: 'INTEGER',
    rejection_reason: 'TEXT',
  });
  await schema.addIndex('quotes', ['coupon_code'], { name: 'ix_quotes_coupon_code' });
  await schema.addIndex('quotes', ['approval_status'], { name: 'ix_quotes_approval_status' });
  await schema.addIndex('quotes', ['approved_by'], { name: 'ix_quotes_approved_by' });
  // On SQLite the application created its foreign keys without ON DELETE actions.
  const action = schema.engine === 'postgresql' ? ' ON DELETE SET NULL' : '';
  for (const column of ['approved_by', 'rejected_by']) {
    await schema.addConstraint(
      'quotes',
      `fk_quotes_${column}`,
      `FOREIGN KEY (${column}) REFERENCES users(id)${action}`,
    );
  }
};
