import type { Migration } from '../src/migration/migration.ts';

export const revision = '196_add_einvoice_address_and_vat_category';
export const parents: readonly string[] = ['195_add_idle_unanswered_action'];

/**
 * Adds the columns that electronic invoices need: parts of addresses, bank account and VAT category. They are not
 * filled from existing addresses.
 */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('clients', {
    street: 'VARCHAR(255)',
    postcode: 'VARCHAR(32)',
    city: 'VARCHAR(100)',
    country: 'VARCHAR(2)',
    vat_id: 'VARCHAR(50)',
  });
  await schema.addColumns('invoices', {
    vat_category: 'VARCHAR(5)',
    vat_exemption_reason: 'TEXT',
    vat_exemption_code: 'VARCHAR(50)',
  });
  await schema.addColumns('settings', {
    company_street: 'VARCHAR(255)',
    company_postcode: 'VARCHAR(32)',
    company_city: 'VARCHAR(100)',
    company_country: 'VARCHAR(2)',
    company_iban: 'VARCHAR(34)',
    company_bic: 'VARCHAR(11)',
    invoices_default_vat_category: "VARCHAR(5) NOT NULL DEFAULT 'S'",
    invoices_default_vat_exemption_reason: 'TEXT',
    invoices_default_vat_exemption_code: 'VARCHAR(50)',
  });
};
