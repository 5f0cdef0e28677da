import type { Migration } from '../src/migration/migration.ts';

export const revision = '141_add_invoice_number_pattern';
export const parents: readonly string[] = ['140_client_portal_dashboard_prefs'];

/** Adds the pattern of invoice numbers to the settings. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn(
    'settings',
    'invoice_number_pattern',
    "VARCHAR(120) NOT NULL DEFAULT '{PREFIX}-{YYYY}{MM}{DD}-{SEQ}'",
  );
};
