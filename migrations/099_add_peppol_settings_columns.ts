import type { Migration } from '../src/migration/migration.ts';

export const revision = '099_add_peppol_settings_columns';
export const parents: readonly string[] = ['098_add_invoice_peppol_transmissions'];

/** Adds the Peppol access point to the settings. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('settings', {
    peppol_enabled: 'BOOLEAN',
    peppol_sender_endpoint_id: "VARCHAR(100) DEFAULT ''",
    peppol_sender_scheme_id: "VARCHAR(20) DEFAULT ''",
    peppol_sender_country: "VARCHAR(2) DEFAULT ''",
    peppol_access_point_url: "VARCHAR(500) DEFAULT ''",
    peppol_access_point_token: "VARCHAR(255) DEFAULT ''",
    peppol_access_point_timeout: 'INTEGER DEFAULT 30',
    peppol_provider: "VARCHAR(50) DEFAULT 'generic'",
  });
};
