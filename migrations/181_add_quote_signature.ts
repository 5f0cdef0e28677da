import type { Migration } from '../src/migration/migration.ts';

export const revision = '181_add_quote_signature';
export const parents: readonly string[] = ['180_add_milestones'];

/** Adds signatures to quotes. Quotes that were accepted before stay unsigned. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('quotes', {
    signature_data: 'TEXT',
    signed_at: 'TIMESTAMP',
    signed_by_name: 'VARCHAR(200)',
    signed_by_email: 'VARCHAR(200)',
    signed_ip: 'VARCHAR(50)',
  });
};
