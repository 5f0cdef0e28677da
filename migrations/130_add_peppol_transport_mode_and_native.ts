import type { Migration } from '../src/migration/migration.ts';

export const revision = '130_add_peppol_transport_mode_and_native';
export const parents: readonly string[] = ['129_merge_118_128_heads'];

/** Adds the Peppol transport and its certificates, PDF/A-3 and the validation of exports to the settings. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('settings', {
    peppol_transport_mode: "VARCHAR(20) DEFAULT 'generic'",
    peppol_sml_url: "VARCHAR(500) DEFAULT ''",
    peppol_native_cert_path: "VARCHAR(500) DEFAULT ''",
    peppol_native_key_path: "VARCHAR(500) DEFAULT ''",
    invoices_pdfa3_compliant: 'BOOLEAN NOT NULL DEFAULT FALSE',
    invoices_validate_export: 'BOOLEAN NOT NULL DEFAULT FALSE',
    invoices_verapdf_path: "VARCHAR(500) DEFAULT ''",
  });
};
