import type { Migration } from '../src/migration/migration.ts';

/** Adds the pattern of invoice numbers to the settings. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn(
    'settings',
    'invoice_number_pattern',
    "VARCHAR(120) NOT NULL DEFAULT '{PREFIX}-{YYYY}{MM}{DD}-{SEQ}'",
  );
};
