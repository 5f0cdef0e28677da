import type { Migration } from '../src/migration/migration.ts';

/** Lets the settings embed ZUGFeRD data in invoice PDFs. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('settings', 'invoices_zugferd_pdf', 'BOOLEAN NOT NULL DEFAULT FALSE');
};
