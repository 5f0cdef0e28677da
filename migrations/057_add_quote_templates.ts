import type { Migration } from '../src/migration/migration.ts';

export const revision = '057';
export const parents: readonly string[] = ['056'];

/** Creates quote_templates. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('quote_templates', {
    id: 'SERIAL PRIMARY KEY',
    name: 'VARCHAR(200) NOT NULL',
    description: 'TEXT',
    template_data: 'TEXT',
    default_tax_rate: 'NUMERIC(5,2)',
    default_currency_code: 'VARCHAR(3)',
    default_payment_terms: 'VARCHAR(100)',
    default_terms: 'TEXT',
    default_valid_until_days: 'INTEGER',
    default_requires_approval: 'BOOLEAN NOT NULL DEFAULT FALSE',
    default_approval_level: 'INTEGER',
    default_items: 'TEXT',
    created_by: 'INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE',
    is_public: 'BOOLEAN NOT NULL DEFAULT FALSE',
    usage_count: 'INTEGER NOT NULL DEFAULT 0',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
  });
};
