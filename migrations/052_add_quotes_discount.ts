import type { Migration } from '../src/migration/migration.ts';

export const revision = '052';
export const parents: readonly string[] = ['051'];

/** Adds discounts and coupons to quotes. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('quotes', {
    discount_type: 'VARCHAR(20)',
    discount_amount: "NUMERIC(10,2) DEFAULT '0'",
    discount_reason: 'VARCHAR(500)',
    coupon_code: 'VARCHAR(50)',
  });
  await schema.addIndex('quotes', ['coupon_code'], { name: 'ix_quotes_coupon_code' });
};
