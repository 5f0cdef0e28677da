import type { Migration } from '../src/migration/migration.ts';

export const revision = '007';
export const parents: readonly string[] = ['006'];

/** Adds the client's details to invoices, and tax id and bank details to the settings. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('invoices', {
    client_name: "VARCHAR(200) NOT NULL DEFAULT ''",
    client_email: 'VARCHAR(200)',
    client_address: 'TEXT',
  });
  await schema.addColumns('settings', {
    company_tax_id: "VARCHAR(100) DEFAULT ''",
    company_bank_info: "TEXT DEFAULT ''",
  });
};
