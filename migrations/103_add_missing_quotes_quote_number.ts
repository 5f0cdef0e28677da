import type { Migration } from '../src/migration/migration.ts';

export const revision = '103_add_missing_quotes_quote_number';
export const parents: readonly string[] = ['102_add_missing_quotes_template_id'];

/** Renames the column `offer_number` of quotes, which were called offers once, to `quote_number`. */
export const up: Migration = async ({ context: schema }) => {
  await schema.renameColumn('quotes', 'offer_number', 'quote_number');
  // Quotes without a number get one.
  if (await schema.addColumn('quotes', 'quote_number', 'VARCHAR(50)')) {
    await schema.run("UPDATE quotes SET quote_number = 'QUO-' || id");
    await schema.setNotNull('quotes', 'quote_number');
  }
  await schema.dropIndex('ix_offers_offer_number');
  await schema.addIndex('quotes', ['quote_number'], { name: 'ix_quotes_quote_number', unique: true });
};
