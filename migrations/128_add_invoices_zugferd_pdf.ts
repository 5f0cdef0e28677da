import type { Migration } from '../src/migration/migration.ts';

export const revision = '128_add_invoices_zugferd_pdf';
export const parents: readonly string[] = ['127_add_user_clients'];

/** Lets the settings embed ZUGFeRD data in invoice PDFs. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('settings', 'invoices_zugferd_pdf', 'BOOLEAN NOT NULL DEFAULT FALSE');
};
